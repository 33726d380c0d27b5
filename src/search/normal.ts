/** φ(z), the density of the standard normal distribution. */
export const normalDensity = (z: number): number => Math.exp(-(z ** 2) / 2) / Math.sqrt(2 * Math.PI);

/** P(a ≤ Z ≤ b) of a standard normal number Z, to about 1e-14 over its width; on one side of zero from the tails, which cancel less. */
export function normalMass(a: number, b: number): number {
  if (a > 0) return above(a) - above(b);
  if (b < 0) return above(-b) - above(-a);
  return 1 - above(-a) - above(b);
}

/** P(Z > z) for z ≥ 0: a power series near zero, a continued fraction beyond (Abramowitz & Stegun 26.2.11 and 26.2.14). */
function above(z: number): number {
  if (z < 3) {
    let [sum, term] = [0, z];
    for (let k = 3; term > 1e-17 * sum; k += 2) {
      sum += term;
      term *= z ** 2 / k;
    }
    return 0.5 - normalDensity(z) * sum;
  }
  let fraction = z;
  for (let k = Math.ceil(10 + (15 / z) ** 2); k > 0; k--) fraction = z + k / fraction;
  return normalDensity(z) / fraction;
}
