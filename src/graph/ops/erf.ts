import type { Emitter } from "../tensor.ts";

/** Coefficients of W. J. Cody, "Rational Chebyshev approximations for the error function", Math. Comp. 23 (1969). */
const near = {
  p: [0.18577770618460315, 3.1611237438705655, 113.86415415105016, 377.485237685302, 3209.3775891384694],
  q: [1, 23.601290952344122, 244.02463793444417, 1282.6165260773723, 2844.236833439171],
};
const middle = {
  p: [
    2.1531153547440383e-8, 0.5641884969886701, 8.883149794388377, 66.11919063714163, 298.6351381974001,
    881.952221241769, 1712.0476126340707, 2051.0783778260716, 1230.3393547979972,
  ],
  q: [
    1, 15.744926110709835, 117.6939508913125, 537.1811018620099, 1621.3895745666903, 3290.7992357334597,
    4362.619090143247, 3439.3676741437216, 1230.3393548037495,
  ],
};

/**
 * erf in float64 from operators that ONNX Runtime's CPU provider has in float64 (it has no Erf there):
 * |x| ≤ ½: x·P(x²)/Q(x²); above: sign(x)·(1 − exp(−x²)·P(|x|)/Q(|x|)), with |x| limited to 6, where 1 − erf < 3e-17.
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
