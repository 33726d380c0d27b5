import { broadcastTo } from "../../graph/ops/reduce.ts";
import { greaterEqual, where } from "../../graph/ops/compare.ts";
import { slice } from "../../graph/ops/arrange.ts";
import { add, div, minimum, mul, sqrt, sub } from "../../graph/ops/elementwise.ts";
import { dot } from "../../graph/grad.ts";
import { fraction, radius, real } from "../hyper.ts";
import { defineMethod, zeros } from "../method.ts";
import { mix, unit } from "../vector.ts";

/**
 * AE-SAM (Jiang et al. 2023): a step is SAM's where ‖g‖² is large for its running mean m and variance s, else the base optimizer's. The threshold c goes
 * from λ₂ to λ₁ over T steps, so that SAM's become more. m and s are one number each, in every place of a vector.
 * [C] Which step it is, is decided inside the graph, so all take both gradients: the path is AE-SAM's, and its saving is not. m and s start at zero; δ and λ
 * are in common use, not checked against the authors' runs, and T is theirs for CIFAR: 200 epochs in batches of 128.
 */
export const aeSam = defineMethod({
  name: "ae-sam",
  title: "AE-SAM",
  summary: "∇f(θ + ρĝ) where ‖g‖² ≥ m + c√s, else g;  m, s: running mean and variance of ‖g‖²,  c = λ₂ + (λ₁ − λ₂)t/T",
  source: "Jiang et al. 2023",
  cost: "2",
  colour: "#1f78b4",
  hyper: {
    rho: radius(),
    delta: { ...fraction(0.9, "memory of mean and variance"), symbol: "δ" },
    lambda1: real(-1, "threshold c at step T", { symbol: "λ₁" }),
    lambda2: real(1, "threshold c at the first step", { symbol: "λ₂" }),
    span: real(78200, "steps T over which c goes from λ₂ to λ₁: those of the run", { min: 1, symbol: "T" }),
  },
  state: { mean: zeros, variance: zeros },
  ascent: ({ g, rho }) => mul(rho, unit(g)),
  combine: ({ g, step, epsilon, ahead, delta, lambda1, lambda2, span, ...kept }) => {
    const square = dot(g, g);
    const mean = mix(slice(kept.mean, 0, 0, 1), square, delta);
    const away = sub(square, mean);
    const variance = mix(slice(kept.variance, 0, 0, 1), mul(away, away), delta);
    const over = minimum(div(step, span), 1);
    const c = add(mul(lambda1, over), mul(lambda2, sub(1, over)));
    const due = greaterEqual(square, add(mean, mul(c, sqrt(variance))));
    return {
      direction: where(due, ahead, g),
      epsilon: where(due, epsilon, mul(0, epsilon)),
      mean: broadcastTo(mean, g.shape),
      variance: broadcastTo(variance, g.shape),
    };
  },
});
