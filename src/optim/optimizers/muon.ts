import { concat, slice, transpose } from "../../graph/ops/arrange.ts";
import { add, div, mul } from "../../graph/ops/elementwise.ts";
import { matmul } from "../../graph/ops/matmul.ts";
import { reshape } from "../../graph/ops/reshape.ts";
import type { Operand, Tensor } from "../../graph/tensor.ts";
import { isMatrix, type Parameter } from "../parameters.ts";
import { norm } from "../vector.ts";
import { adam, corrections, decayedStep } from "./adamw.ts";
import { type Optimizer, ratesOf, running, times, type UpdateArgs } from "./optimizer.ts";

/** Keller Jordan's quintic: its slope at 0 is large, and all singular values end up between 0.7 and 1.2. */
const [A, B, C] = [3.4445, -4.775, 2.0315];
const STEPS = 5;
const TINY = 1e-7;

/** 3e-4 over 0.02, the rates of the author's example. */
const VECTOR_RATE = 0.015;

/** Five Newton–Schulz steps: nearly the orthogonal matrix UVᵀ of x = UΣVᵀ. */
export function orthogonalized(x: Tensor): Tensor {
  const [rows, columns] = x.shape as [number, number];
  if (rows > columns) return transpose(orthogonalized(transpose(x)));
  let y = div(x, add(norm(reshape(x, [-1])), TINY));
  for (let step = 0; step < STEPS; step++) {
    const square = matmul(y, y, { transB: true });
    const polynomial = add(mul(B, square), mul(C, matmul(square, square)));
    y = add(mul(A, y), matmul(polynomial, y));
  }
  return y;
}

/**
 * The weights that Muon moves: all but the first and the last, which read the input and give the output, as in the author's instructions. Embeddings,
 * biases and norms are no weights of a layer.
 */
export function hiddenWeights(parameters: readonly Parameter[]): ReadonlySet<Parameter> {
  const weights = parameters.filter((parameter) => parameter.role === "weight" && isMatrix(parameter));
  return new Set(weights.slice(1, -1).filter(({ trained }) => trained));
}

/** The direction of a weight from a vector of its numbers: as a matrix [out, rest] it is orthogonalized and scaled by √max(1, out/rest). */
function matrixDirection(flat: Tensor, { stored, order, size }: Parameter): Tensor {
  const axes = order ?? stored.map((_, i) => i);
  const out = axes.indexOf(0);
  const outs = stored[out]!;
  const scale = Math.sqrt(Math.max(1, outs / (size / outs)));
  const perm = [out, ...axes.map((_, i) => i).filter((i) => i !== out)];
  const back = perm.map((_, i) => perm.indexOf(i));
  const first = transpose(reshape(flat, stored), perm);
  const direction = mul(scale, orthogonalized(reshape(first, [outs, size / outs])));
  return reshape(transpose(reshape(direction, first.shape), back), [size]);
}

interface Part {
  readonly start: number;
  readonly end: number;
  /** The weight that the part is; undefined where AdamW moves it. */
  readonly weight: Parameter | undefined;
}

/** Neighbours that AdamW moves are one part. */
function partsOf(parameters: readonly Parameter[]): Part[] {
  const hidden = hiddenWeights(parameters);
  const parts: Part[] = [];
  for (const parameter of parameters) {
    const [start, end] = [parameter.offset, parameter.offset + parameter.size];
    const weight = hidden.has(parameter) ? parameter : undefined;
    const last = parts.at(-1);
    if (last && !last.weight && !weight) parts[parts.length - 1] = { ...last, end };
    else parts.push({ start, end, weight });
  }
  return parts;
}

/** One part after the step: its θ and the two running means. */
function stepOf({ start, end, weight }: Part, args: UpdateArgs, lr: Operand, weightDecay: Operand) {
  const part = (x: Tensor) => slice(x, 0, start, end);
  const rate = (x: Operand) => (typeof x === "number" || x.shape.length === 0 ? x : part(x));
  const [theta, g, mean, square] = [args.theta, args.g, args.state.exp_avg!, args.state.exp_avg_sq!].map(part) as [
    Tensor,
    Tensor,
    Tensor,
    Tensor,
  ];
  if (weight) {
    const { momentum } = args.settings;
    const m = running(mean, g, momentum);
    const direction = matrixDirection(running(m, g, momentum), weight);
    return { theta: decayedStep(theta, direction, rate(lr), rate(weightDecay)), m, s: square };
  }
  const { direction, m, s } = adam({ ...args, g, mean, square });
  const own = times(rate(lr), args.settings.vectorRate ?? VECTOR_RATE);
  return { theta: decayedStep(theta, direction, own, rate(weightDecay)), m, s };
}

/** Keller Jordan's Muon with Nesterov momentum. Both rules keep a running mean of g, in one vector. */
export const muon = {
  summary:
    "hidden weights: m ← μm + (1 − μ)g; θ ← θ − η(√max(1, out/in)·orthogonalized(μm + (1 − μ)g) + wd·θ); all else: AdamW at rate vectorRate·η",
  source: "Jordan et al. 2024",
  slots: ["exp_avg", "exp_avg_sq"],
  reads: ["momentum", "weightDecay", "beta1", "beta2", "eps", "vectorRate"],
  // The author's.
  defaults: { lr: 0.02, weightDecay: 0.01, momentum: 0.95, beta2: 0.95, eps: 1e-10, vectorRate: VECTOR_RATE },
  scalars: corrections,
  update: (args) => {
    const { lr, weightDecay } = ratesOf(args);
    const stepped = partsOf(args.parameters).map((part) => stepOf(part, args, lr, weightDecay));
    return {
      theta: concat(stepped.map(({ theta }) => theta)),
      state: { exp_avg: concat(stepped.map(({ m }) => m)), exp_avg_sq: concat(stepped.map(({ s }) => s)) },
    };
  },
} as const satisfies Optimizer;
