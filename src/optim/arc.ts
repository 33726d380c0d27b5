import { dot } from "../graph/grad.ts";
import { greater, where } from "../graph/ops/compare.ts";
import { add, div, maximum, minimum, mul, sqrt, sub } from "../graph/ops/elementwise.ts";
import { lift } from "../graph/ops/source.ts";
import type { Operand, Tensor } from "../graph/tensor.ts";

/** Σ aᵢ·xⁱ by Horner. */
const polynomial = (x: Tensor, coefficients: readonly number[]): Tensor =>
  coefficients.slice(0, -1).reduceRight<Operand>((sum, a) => add(mul(sum, x), a), coefficients.at(-1)!) as Tensor;

/** Of arcsin(s)/s in s²: the central binomials over 4ⁱ(2i + 1). */
const ARCSINE = [1, 1 / 6, 3 / 40, 5 / 112, 35 / 1152, 63 / 2816];
const HALVINGS = 5;

/** arccos of a number [] in [−1, 1]: its angle is halved until a series of arcsin is exact in float64. */
export function arccos(c: Tensor): Tensor {
  let [cosine, sine] = [sqrt(mul(0.5, add(1, c))), sqrt(mul(0.5, sub(1, c)))];
  for (let i = 1; i < HALVINGS; i++) {
    cosine = sqrt(mul(0.5, add(1, cosine)));
    sine = div(mul(0.5, sine), cosine);
  }
  return mul(2 ** HALVINGS, mul(sine, polynomial(mul(sine, sine), ARCSINE)));
}

const DOUBLINGS = 3;
/** Of sin(x)/x and cos(x) in x², exact in float64 up to 2π/8. */
const [SINE, COSINE] = [1, 0].map((odd) =>
  Array.from({ length: 9 }, (_, i) => {
    let factorial = 1;
    for (let n = 2; n <= 2 * i + odd; n++) factorial *= n;
    return (-1) ** i / factorial;
  }),
) as [number[], number[]];

/** sin of a number [] in [−2π, 2π]. */
export function sine(x: Tensor): Tensor {
  const part = mul(x, 1 / 2 ** DOUBLINGS);
  const square = mul(part, part);
  let [s, c] = [mul(part, polynomial(square, SINE)), polynomial(square, COSINE)];
  for (let i = 0; i < DOUBLINGS; i++) [s, c] = [mul(2, mul(s, c)), sub(1, mul(2, mul(s, s)))];
  return s;
}

/** Below this sine of their angle two directions are taken for one. */
const SAME = 1e-8;

/**
 * The arc through the unit vectors u and v (Shoemake 1985): slerp(a) = (sin((1 − a)ω)u + sin(aω)v)/sin ω with ω the angle between them, so u at 0, v at 1 and
 * beyond v up to a = 2; (u + v)/2 where they agree.
 */
export function arc(u: Tensor, v: Tensor): (a: Operand) => Tensor {
  const angle = arccos(maximum(minimum(dot(u, v), 1), -1));
  const whole = sine(angle);
  const apart = greater(whole, SAME);
  const over = where(apart, whole, 1);
  const weight = (part: Tensor) => where(apart, div(sine(mul(part, angle)), over), 0.5);
  return (a) => {
    const place = lift(a, angle);
    return add(mul(weight(sub(1, place)), u), mul(weight(place), v));
  };
}
