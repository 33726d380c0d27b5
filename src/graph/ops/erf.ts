import type { Emitter } from "../tensor.ts";

/** Coefficients of W. J. Cody, "Rational Chebyshev approximations for the error function", Math. Comp. 23 (1969). */
const near = {
  p: [1.85777706184603153e-1, 3.1611237438705656, 1.13864154151050156e2, 3.77485237685302021e2, 3.20937758913846947e3],
  q: [1, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3],
};
const middle = {
  p: [
    2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594, 6.61191906371416295e1, 2.98635138197400131e2,
    8.8195222124176909e2, 1.71204761263407058e3, 2.05107837782607147e3, 1.23033935479799725e3,
  ],
  q: [
    1, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
    3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3,
  ],
};

/**
 * erf in float64 from operators that ONNX Runtime's CPU provider has in float64 (it has no Erf there):
 * |x| ≤ ½: x·P(x²)/Q(x²); above: sign(x)·(1 − exp(−x²)·P(|x|)/Q(|x|)), with |x| cut at 6, where 1 − erf < 3e-17.
 * Absolute error below 1e-15.
 */
export function emitErf(emitter: Emitter, x: string): string {
  const number = (value: number) => emitter.constant(value, [], "f64");
  const op = (type: string, ...inputs: string[]) => emitter.node(type, inputs);
  const polynomial = (coefficients: readonly number[], at: string) =>
    coefficients.slice(1).reduce((sum, c) => op("Add", op("Mul", sum, at), number(c)), number(coefficients[0]!));
  const ratio = ({ p, q }: typeof near, at: string) => op("Div", polynomial(p, at), polynomial(q, at));

  const size = op("Min", op("Abs", x), number(6));
  const square = op("Mul", size, size);
  const small = op("Mul", x, ratio(near, square));
  const tail = op("Mul", op("Exp", op("Neg", square)), ratio(middle, size));
  const large = op("Mul", op("Sign", x), op("Sub", number(1), tail));
  return op("Where", op("Greater", size, number(0.5)), large, small);
}
