import { tanh } from "../../src/graph/ops/elementwise.ts";
import { defineModel } from "../../src/models/entry.ts";
import { batchNorm, linear } from "../../src/nn/layers.ts";

/** Numbers of the network below: features, hidden units, classes. */
export const [FEATURES, HIDDEN, CLASSES] = [3, 2, 3];

/** A layer with batch norm and tanh, and a linear classifier: the least in which training, batch norm and curvature all differ. */
export const handNet = defineModel({
  name: "hand-net",
  summary: "linear, batch norm, tanh, linear",
  build:
    ({ classes }) =>
    (scope, x) =>
      linear(scope.at("out"), tanh(batchNorm(scope.at("bn"), linear(scope.at("in"), x, HIDDEN))), classes),
});

export interface Rows {
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
}

/** Running statistics, mean [2] then variance [2]; undefined: those of the rows, as in training. */
type Running = ArrayLike<number> | undefined;

const EPS = 1e-5;

/** What the network of `handNet` gives in plain float64, [rows][classes], and the statistics of its hidden units. */
export function forwardByHand(theta: ArrayLike<number>, { x }: Pick<Rows, "x">, running: Running) {
  let at = 0;
  const take = (n: number) => Array.from({ length: n }, () => theta[at++]!);
  const [inWeight, inBias] = [take(HIDDEN * FEATURES), take(HIDDEN)];
  const [scale, shift] = [take(HIDDEN), take(HIDDEN)];
  const [outWeight, outBias] = [take(CLASSES * HIDDEN), take(CLASSES)];
  const rows = x.length / FEATURES;
  const hidden = Array.from({ length: rows }, (_, i) =>
    inBias.map((b, k) =>
      Array.from({ length: FEATURES }).reduce<number>(
        (sum, __, j) => sum + inWeight[k * FEATURES + j]! * x[i * FEATURES + j]!,
        b,
      ),
    ),
  );
  const meanOf = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / rows;
  const means = shift.map((_, k) => meanOf(hidden.map((row) => row[k]!)));
  const variances = means.map((m, k) => meanOf(hidden.map((row) => (row[k]! - m) ** 2)));
  const logits = hidden.map((row) => {
    const active = row.map((h, k) => {
      const [m, s] = running === undefined ? [means[k]!, variances[k]!] : [running[k]!, running[HIDDEN + k]!];
      return Math.tanh(((h - m) / Math.sqrt(s + EPS)) * scale[k]! + shift[k]!);
    });
    return outBias.map((b, c) => active.reduce((sum, a, k) => sum + outWeight[c * HIDDEN + k]! * a, b));
  });
  return { logits, means, variances, rows };
}

const probabilities = (logits: readonly number[]) => {
  const parts = logits.map((z) => Math.exp(z));
  const total = parts.reduce((a, b) => a + b);
  return parts.map((part) => part / total);
};

/** The mean cross-entropy, the correct answers and the probabilities. */
export function scoreByHand(theta: ArrayLike<number>, batch: Rows, running: Running) {
  const { logits, rows } = forwardByHand(theta, batch, running);
  const predicted = logits.map(probabilities);
  const loss = predicted.reduce((sum, row, i) => sum - Math.log(row[batch.y[i]!]!), 0) / rows;
  const correct = predicted.filter((row, i) => row.indexOf(Math.max(...row)) === batch.y[i]).length;
  return { loss, correct, predicted };
}

/** The batch norm's statistics after a step on the batch: a tenth of the way to its mean and unbiased variance. */
export function nextRunning(theta: ArrayLike<number>, batch: Rows, running: ArrayLike<number>): number[] {
  const { means, variances, rows } = forwardByHand(theta, batch, undefined);
  const seen = [...means, ...variances.map((v) => (v * rows) / (rows - 1))];
  return seen.map((value, i) => 0.9 * running[i]! + 0.1 * value);
}

/** Central differences of a function: ∇f, exact to 1e-9. */
export function gradientByHand(f: (theta: Float64Array) => number, theta: ArrayLike<number>, h = 1e-5): Float64Array {
  const point = Float64Array.from(theta);
  return point.map((value, i) => {
    const at = (moved: number) => {
      point[i] = moved;
      const result = f(point);
      point[i] = value;
      return result;
    };
    return (at(value + h) - at(value - h)) / (2 * h);
  });
}

/** The Hessian by differences of those: exact to 1e-6. */
export function hessianByHand(f: (theta: Float64Array) => number, theta: ArrayLike<number>): Float64Array[] {
  const point = Float64Array.from(theta);
  const h = 1e-4;
  return Array.from(point, (value, i) => {
    const at = (moved: number) => {
      const there = point.slice();
      there[i] = moved;
      return gradientByHand(f, there, h);
    };
    const [more, less] = [at(value + h), at(value - h)];
    return more.map((x, j) => (x - less[j]!) / (2 * h));
  });
}
