import { cast, equal, where } from "../../graph/ops/compare.ts";
import { add, div, mul, sub } from "../../graph/ops/elementwise.ts";
import type { Operand, Tensor } from "../../graph/tensor.ts";
import { radius, real } from "../hyper.ts";
import { defineMethod, gradAt, zeros } from "../method.ts";
import { norm, reject, unit } from "../vector.ts";

/** Whether `step` is a multiple of k; steps are whole numbers, and conversion to an integer drops the fraction. */
const isMultiple = (step: Tensor, k: Operand): Tensor =>
  equal(mul(k, cast(cast(div(step, k), "i32"), step.dtype)), step);

/**
 * LookSAM (Liu et al. 2022): SAM's step at every k-th one, which also keeps u, the direction of SAM's gradient across g; between them g is turned by
 * α‖g‖u. Norms are global, as in MarlonBecker/MSAM. As every step here is one graph, all take both gradients: the path is
 * LookSAM's, and its saving, 1 + 1/k gradients per step, is not. [C] Defaults are those in common use, not checked against the authors' runs.
 */
export const lookSam = defineMethod({
  name: "look-sam",
  title: "LookSAM",
  summary: "every k-th step g₊ = ∇f(θ + ρĝ), u ← unit(g₊ − ⟨g₊,ĝ⟩ĝ);  else g + α‖g‖u",
  source: "Liu et al. 2022",
  colour: "#9467bd",
  hyper: {
    rho: radius(),
    alpha: real(0.7, "weight of the kept direction α", { min: 0, symbol: "α" }),
    k: real(10, "steps from one step of SAM to the next, k", { min: 1 }),
  },
  state: { u: zeros },
  descend: ({ f, theta, g, step, rho, alpha, k, u }) => {
    const due = isMultiple(step, k);
    const epsilon = mul(rho, unit(g));
    const ahead = gradAt(f, add(theta, epsilon));
    const turned = add(g, mul(mul(alpha, norm(g)), u));
    return {
      direction: where(due, ahead, turned),
      epsilon: where(due, epsilon, mul(0, epsilon)),
      u: where(due, unit(reject(sub(ahead, g), unit(g))), u),
    };
  },
});
