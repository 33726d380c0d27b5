import type { Target } from "../graph/tensor.ts";
import { channelBlock } from "./channel-block.ts";
import { type TargetOptions, targetOf } from "./device.ts";
import type { SessionFactory } from "./session.ts";

/** The target of `options`, with what ONNX Runtime has on this processor beyond the operators it names. */
export async function targetHere(options: TargetOptions & { readonly sessions?: SessionFactory }): Promise<Target> {
  const target = targetOf(options);
  const own = target.device === "cpu" && target.contrib && options.sessions === undefined;
  const block = own ? await channelBlock() : undefined;
  return block === undefined ? target : { ...target, block };
}
