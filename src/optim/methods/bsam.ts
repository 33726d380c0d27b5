import { abs, add, div, minimum, mul, rsqrt, sqrt, sub } from "../../graph/ops/elementwise.ts";
import { fraction, radius, real } from "../hyper.ts";
import { defineMethod, gradAt, zeros } from "../method.ts";
import { mix } from "../vector.ts";

/**
 * Bayesian SAM (Möllenhoff & Khan 2023): s is a precision for every parameter, with which the first gradient is taken at a random point, ε is scaled and the step
 * is divided. It has momentum and decay of its own, so the base optimizer is plain SGD, whose rate is the authors' α. s starts at 1. Defaults are those of
 * the authors' CIFAR example (team-approx-bayes/bayesian-sam): N is four times the examples, for augmentation, and δ is their prior precision 10 over N. Their
 * eight parts of a mini-batch, each with noise of its own, are one here. Two gradients per step; here a third, at θ, is taken for the records.
 */
export const bsam = defineMethod({
  name: "bsam",
  title: "bSAM",
  summary:
    "m/s;  h = ∇f(θ + N(0, 1/(Ns))), d = ∇f(θ + ρh/s), m ← β₁m + (1 − β₁)(d + δθ), then s ← β₂s + (1 − β₂)(√s·|h| + damping + δ)",
  source: "Möllenhoff & Khan 2023",
  cost: "3, one of them for the records",
  colour: "#b15928",
  hyper: {
    rho: radius(0.01),
    beta1: { ...fraction(0.9, "memory β₁ of the mean of gradients"), symbol: "β₁" },
    beta2: { ...fraction(0.999, "memory β₂ of the precision"), symbol: "β₂" },
    examples: real(200000, "number of examples N; the noise has variance 1/(Ns)", { min: 1, symbol: "N" }),
    delta: real(5e-5, "weight decay δ: prior precision over N", { min: 0, symbol: "δ" }),
    damping: real(0.1, "added to the precision", { min: 0 }),
  },
  state: { m: zeros, s: zeros },
  needs: { noise: true, plainSgd: { lr: 0.5 } },
  descend: ({ f, theta, noise, step, rho, beta1, beta2, examples, delta, damping, m, s }) => {
    const precision = add(s, sub(1, minimum(step, 1)));
    const first = gradAt(f, add(theta, mul(noise, rsqrt(mul(examples, precision)))));
    const epsilon = mul(rho, div(first, precision));
    const ahead = gradAt(f, add(theta, epsilon));
    const mean = mix(m, add(ahead, mul(delta, theta)), beta1);
    const grown = add(add(mul(sqrt(precision), abs(first)), damping), delta);
    return { direction: div(mean, precision), epsilon, m: mean, s: mix(precision, grown, beta2) };
  },
});
