import { equal, where } from "../../graph/ops/compare.ts";
import { add, mul, sub } from "../../graph/ops/elementwise.ts";
import { fraction, radius } from "../hyper.ts";
import { defineMethod, gradAt, zeros } from "../method.ts";
import { unit } from "../vector.ts";

/**
 * SAMPa-λ (Xie et al. 2024), step for step as in the authors' code (LIONS-EPFL/SAMPa, with its λ and ρ). y is where the base optimizer would go along h, the gradient at the last
 * y. p is the gradient ahead along ĥ, of the mini-batch before this one; it is taken at the end of that mini-batch's step. The first step is along g. Their
 * two gradients can be computed side by side, on two devices; here they follow each other, and a third, at θ, is taken for the records.
 */
export const sampa = defineMethod({
  name: "sampa",
  title: "SAMPa",
  summary: "(1 − λ)p + λh⁺,  h⁺ = ∇f(y), y: θ moved along h;  p⁺ = ∇f(θ⁺ + ρĥ⁺)",
  source: "Xie et al. 2024",
  cost: "3, one of them for the records",
  colour: "#33a02c",
  hyper: { rho: radius(0.1), lambda: { ...fraction(0.2, "weight λ of the gradient at y"), symbol: "λ" } },
  state: { p: zeros, h: zeros },
  descend: ({ f, theta, g, step, moved, rho, lambda, p, h }) => {
    const first = equal(step, 0);
    const next = gradAt(f, where(first, theta, moved(h)));
    const direction = add(mul(sub(1, lambda), where(first, g, p)), mul(lambda, next));
    return { direction, p: gradAt(f, add(moved(direction), mul(rho, unit(next)))), h: next };
  },
});
