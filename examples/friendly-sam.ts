/**
 * A method of one's own in one file: `train({ method: { use: friendlySam } })`, or
 * `eigensam train --plugin ./friendly-sam.ts method.name=friendly-sam`.
 */
import { add, defineMethod, fraction, gradAt, mix, mul, radius, real, sub, unit, zeros } from "eigensam";

/** Friendly SAM (Li et al. 2024): perturbs along the part of g that its running mean does not explain. The built-in `f-sam` starts m as its authors do. */
export const friendlySam = defineMethod({
  name: "friendly-sam",
  title: "Friendly SAM",
  summary: "∇f(θ + ρ·unit(g − σm)),  m ← λm + (1 − λ)g",
  source: "Li et al. 2024",
  colour: "#8c564b",
  hyper: {
    rho: radius(0.05),
    sigma: real(1, "share of the mean that is taken out"),
    lambda: fraction(0.9, "memory of the mean"),
  },
  state: { m: zeros },
  descend: ({ f, theta, g, rho, sigma, lambda, m }) => {
    const epsilon = mul(rho, unit(sub(g, mul(sigma, m))));
    return { direction: gradAt(f, add(theta, epsilon)), epsilon, m: mix(m, g, lambda) };
  },
});
