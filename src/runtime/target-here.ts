import { is } from "../graph/op.ts";
import { convInputOp, convOp } from "../graph/ops/conv.ts";
import type { Target, Tensor } from "../graph/tensor.ts";
import { topological } from "../graph/walk.ts";
import { channelBlock } from "./channel-block.ts";
import { type TargetOptions, targetOf } from "./device.ts";
import type { SessionFactory } from "./session.ts";

type Options = TargetOptions & { readonly sessions?: SessionFactory };

/** The target of `options`, with what ONNX Runtime has on this processor for `outputs` beyond the operators it names. */
export async function targetHere(outputs: readonly Tensor[], options: Options): Promise<Target> {
  const target = targetOf(options);
  const own = target.device === "cpu" && target.contrib && options.sessions === undefined;
  const block = own && convolves(outputs) ? await channelBlock() : undefined;
  return block === undefined ? target : { ...target, block };
}

/** A network without convolutions need not wait for the answer. */
const convolves = (outputs: readonly Tensor[]): boolean =>
  topological(outputs).some((node) => is(convOp, node) || is(convInputOp, node));
