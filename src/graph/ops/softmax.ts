import { apply, defineOp, sample } from "../op.ts";
import type { Tensor } from "../tensor.ts";
import { mul, sub } from "./elementwise.ts";
import { sum } from "./reduce.ts";

/** e^xᵢ/Σⱼ e^xⱼ over the last axis; with p the result, the cotangent is p·(g − Σ g·p). One node, where a composition has six. */
export const softmaxOp = defineOp({
  name: "softmax",
  shape: ([x]) => x!.shape,
  vjp: ({ g, out }) => [
    () => {
      const weighed = mul(g, out);
      return sub(weighed, mul(out, sum(weighed, [out.shape.length - 1], true)));
    },
  ],
  emit: (emitter, [x]) => emitter.node("Softmax", [x!], { axis: -1 }),
  samples: [sample({}, [3, 4]), sample({}, [2, 1, 3, 5]), sample({}, [1])],
});

/** The same values as `softmax` of nn/functions.ts but for the last bits, in one operation, for attention's many rows. */
export const rowSoftmax = (x: Tensor): Tensor => apply(softmaxOp, [x], {});
