import { gradientVectorProduct } from "../graph/grad.ts";
import { add, mul } from "../graph/ops/elementwise.ts";
import type { Operand, Tensor } from "../graph/tensor.ts";
import { type AscentRule, asam, eigenSam, reverseSam, sam, usam } from "../optim/ascent.ts";
import { type DescentArgs, type TrainingMethodName, trainingMethods } from "../optim/methods.ts";

/**
 * A method's descent direction as a series in ρ: h = g + a·ρHw + b·(ρ²/2)T[w,w] + O(ρ³), where ρw is its perturbation
 * and T[w,w] = ∇(wᵀHw) with w held fixed.
 */
export interface Expansion {
  /** Its ascent rule; w is the perturbation at ρ = 1. */
  readonly rule: AscentRule;
  /** Factors (a, b) of the terms of first and second order in ρ. */
  readonly factors: readonly [first: 0 | 1, second: 0 | 1];
}

const perturbing = (rule: AscentRule): Expansion => ({ rule, factors: [1, 1] });

/**
 * The expansion of every training method. Those that perturb get Taylor's; the others are finite sums, so that theirs end
 * by themselves. The signs of paper.md's table follow: H(−ĝ) = −Hĝ, but T[−ĝ,−ĝ] = T[ĝ,ĝ].
 */
export const expansions = {
  sgd: { rule: sam, factors: [0, 0] },
  sam: perturbing(sam),
  usam: perturbing(usam),
  asam: perturbing(asam),
  "reverse-sam": perturbing(reverseSam),
  egr: { rule: sam, factors: [1, 0] },
  "third-order": { rule: sam, factors: [0, 1] },
  "eigen-sam": perturbing(eigenSam),
} as const satisfies Readonly<Record<TrainingMethodName, Expansion>>;

/** The three terms of one mini-batch, from one gradient. */
export interface DriftTerms {
  /** ∇f. */
  readonly g: Tensor;
  /** H·w. */
  readonly Hw: Tensor;
  /** T[w,w] = ∇⟨Hw, w⟩, w held fixed. */
  readonly T: Tensor;
}

/** g, Hw and T[w,w] for a direction w that counts as constant, also where it was computed from θ. */
export function driftTerms(g: Tensor, theta: Tensor, w: Tensor): DriftTerms {
  const Hw = gradientVectorProduct(g, theta, w);
  return { g, Hw, T: gradientVectorProduct(Hw, theta, w) };
}

/** The series of a method up to ρ⁰, ρ¹ or ρ². */
export function truncated(method: TrainingMethodName, order: 0 | 1 | 2, { rho, ...args }: DescentArgs): Tensor {
  const { rule, factors } = expansions[method] as Expansion;
  const { g, Hw, T } = driftTerms(args.g, args.theta, rule({ ...args, rho: 1 }));
  const terms: [use: 0 | 1, scaled: () => Tensor][] = [
    [factors[0], () => mul(rho, Hw)],
    [factors[1], () => mul(halfSquare(rho), T)],
  ];
  return terms.slice(0, order).reduce((h, [use, scaled]) => (use ? add(h, scaled()) : h), g);
}

/** The direction that the method itself descends. */
export const exact = (method: TrainingMethodName, args: DescentArgs): Tensor =>
  trainingMethods[method].descend(args).direction;

const halfSquare = (rho: Operand): Operand => (typeof rho === "number" ? rho ** 2 / 2 : mul(0.5, mul(rho, rho)));
