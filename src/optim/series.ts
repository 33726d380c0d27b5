import { gradientVectorProduct } from "../graph/grad.ts";
import { add, mul } from "../graph/ops/elementwise.ts";
import type { Operand, Tensor } from "../graph/tensor.ts";
import type { Point, Values } from "./point.ts";

/**
 * A descent direction as a series in ρ: g + a·ρHw + b·(ρ²/2)T[w,w] + O(ρ³), where ρw is the perturbation and
 * T[w,w] = ∇(wᵀHw) with w held fixed. Methods that perturb have Taylor's factors (1, 1).
 */
export interface Series {
  /** The perturbation; w is its value at ρ = 1. */
  ascent(at: Omit<Point, "f">, values: Values): Tensor;
  /** The factors (a, b). */
  readonly factors: readonly [first: 0 | 1, second: 0 | 1];
}

/** The series up to ρ⁰, ρ¹ or ρ². A term with factor 0 is not even traced. */
export function seriesSum({ ascent, factors }: Series, order: 0 | 1 | 2, at: Omit<Point, "f">, values: Values): Tensor {
  const [first, second] = factors.map((factor, i) => factor === 1 && i < order);
  if (!first && !second) return at.g;
  const w = ascent(at, { ...values, rho: 1 });
  const rho = values.rho ?? 0;
  const Hw = gradientVectorProduct(at.g, at.theta, w);
  const h = first ? add(at.g, mul(rho, Hw)) : at.g;
  return second ? add(h, mul(halfSquare(rho), gradientVectorProduct(Hw, at.theta, w))) : h;
}

const halfSquare = (rho: Operand): Operand => (typeof rho === "number" ? rho ** 2 / 2 : mul(0.5, mul(rho, rho)));
