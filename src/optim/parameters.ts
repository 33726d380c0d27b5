import { concat, slice } from "../graph/ops/arrange.ts";
import { broadcastTo } from "../graph/ops/reduce.ts";
import { constant } from "../graph/ops/source.ts";
import type { Operand, Tensor } from "../graph/tensor.ts";
import type { Entry, Layout } from "../nn/layout.ts";
import { layersOf } from "./layers.ts";

/** Settings by which parameters are treated apart from each other. */
export interface ParameterSettings {
  /** Whether vectors (biases, and what norms scale and shift by) take no weight decay; left out, they do. */
  readonly noDecay?: boolean | undefined;
  /** Factor of the learning rate from one layer to the layer before it, in (0, 1]; left out, 1. */
  readonly layerDecay?: number | undefined;
}

/** One named parameter inside θ, and how it is trained. */
export interface Parameter extends Pick<Entry, "name" | "shape" | "stored" | "order" | "role" | "offset" | "size"> {
  /** A frozen one keeps its values: it has no direction, no weight decay and no update. */
  readonly trained: boolean;
  /** Factor of the learning rate. */
  readonly rate: number;
  /** Whether it takes weight decay. */
  readonly decays: boolean;
}

/** Whether a parameter is a matrix or more, as weights are; vectors are biases and parts of norms. */
export const isMatrix = ({ shape }: Pick<Entry, "shape">): boolean => shape.length >= 2;

/**
 * How each parameter of a layout is trained. The factor of the learning rate is layerDecay^(last − i) for layer i, counted by
 * `layersOf`, as in BEiT (Bao et al. 2022) and timm.
 *
 * @example
 * ```ts
 * const network: Network = (scope, x) => linear(scope.at("out"), linear(scope.at("in"), x, 4), 1);
 * const step = await compileStep({ network, inputs: { x: [2, 3], y: [2, 1] }, loss: "mse", method: "sgd" });
 * const some = parametersOf(step.model.parameters, { noDecay: true, layerDecay: 0.5 });
 * console.log(some.map(({ rate, decays }) => [rate, decays])); // [[0.5, true], [0.5, false], [1, true], [1, false]]
 * ```
 */
export function parametersOf(
  { entries }: Layout,
  { noDecay = false, layerDecay = 1 }: ParameterSettings = {},
  frozen: ReadonlySet<string> = new Set(),
): Parameter[] {
  const layers = layersOf(entries);
  const last = layers.at(-1) ?? 0;
  return entries.map((entry, i) => {
    const trained = !frozen.has(entry.name);
    return {
      ...entry,
      trained,
      rate: layerDecay ** (last - layers[i]!),
      decays: trained && (!noDecay || isMatrix(entry)),
    };
  });
}

/** θ of `size` numbers as one parameter, a vector. */
export const asOne = (size: number): Parameter[] => [
  { name: "theta", shape: [size], stored: [size], offset: 0, size, trained: true, rate: 1, decays: true },
];

/** Neighbours in θ with the same value of something. */
interface Run<T> {
  readonly value: T;
  readonly start: number;
  readonly end: number;
}

function runsOf<T>(parameters: readonly Parameter[], of: (parameter: Parameter) => T): Run<T>[] {
  const runs: Run<T>[] = [];
  for (const parameter of parameters) {
    const [value, start, end] = [of(parameter), parameter.offset, parameter.offset + parameter.size];
    const last = runs.at(-1);
    if (last && last.value === value) runs[runs.length - 1] = { ...last, end };
    else runs.push({ value, start, end });
  }
  return runs;
}

/** A number per parameter as an operand beside vectors like θ: the number itself where all agree, else a vector [d]. */
export function spread(parameters: readonly Parameter[], like: Tensor, of: (parameter: Parameter) => number): Operand {
  const runs = runsOf(parameters, of);
  const filled = ({ value, start, end }: Run<number>) => broadcastTo(constant(value, [1], like.dtype), [end - start]);
  return runs.length === 1 ? runs[0]!.value : concat(runs.map(filled));
}

/** A scalar per parameter as a vector [d] like θ. */
export const spreadTensors = (parameters: readonly Parameter[], of: (parameter: Parameter) => Tensor): Tensor =>
  concat(parameters.map((parameter) => broadcastTo(of(parameter), [parameter.size])));

/** The part of a vector [d] that belongs to a parameter, [size]. */
export const partOf = (vector: Tensor, { offset, size }: Pick<Parameter, "offset" | "size">): Tensor =>
  slice(vector, 0, offset, offset + size);

/** A vector [d] where parameters are trained, and another where they are frozen. */
export function whereTrained(parameters: readonly Parameter[], vector: Tensor, frozen: Tensor): Tensor {
  if (parameters.every(({ trained }) => trained)) return vector;
  const runs = runsOf(parameters, ({ trained }) => trained);
  return concat(runs.map(({ value, start, end }) => slice(value ? vector : frozen, 0, start, end)));
}
