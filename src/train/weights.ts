import { readBytes } from "../data/files.ts";
import { type Layout, pack, unpack } from "../nn/layout.ts";
import type { Model } from "../nn/scope.ts";
import { InputError } from "../util/errors.ts";
import { excerpt } from "../util/excerpt.ts";
import { firstNotFinite } from "../util/finite.ts";
import { encodeSafetensors, type SafeTensor, type Safetensors } from "../util/safetensors.ts";
import { decodeWeights } from "../util/weights-file.ts";
import { withOwnNames } from "./foreign-names.ts";

/** What a checkpoint holds besides weights: behind these prefixes, one vector per parameter. */
export const statePrefixes = ["optimizer.", "method.", "probe.", "eigenvector.", "average."] as const;

/** What stands before the names of the mean of the weights, in the checkpoint of a run that keeps one. */
export const AVERAGE = "average." satisfies (typeof statePrefixes)[number];

/** What inference needs. */
export interface Weights {
  readonly theta: Float32Array;
  readonly buffers: Float32Array;
}

/** Named arrays under PyTorch's names and shapes, each behind `prefix`. */
export const named = (layout: Layout, flat: Float32Array, prefix = ""): Record<string, SafeTensor> => {
  const arrays = unpack(layout, flat);
  return Object.fromEntries(
    layout.entries.map(({ name, shape }) => [prefix + name, { dtype: "F32", shape, data: arrays[name]! }]),
  );
};

/** A state_dict as PyTorch's: parameters and running statistics. */
export const encodeWeights = (model: Model, { theta, buffers }: Weights, metadata: Readonly<Record<string, string>>) =>
  encodeSafetensors(
    { ...named(model.parameters, theta), ...named(model.buffers, buffers) },
    { format: "pt", ...metadata },
  );

/** The flat vector of a layout from named arrays behind `prefix`; names and shapes must fit, and numbers be finite. */
export function flatten(layout: Layout, tensors: Readonly<Record<string, SafeTensor>>, source: string, prefix = "") {
  const arrays = layout.entries.map(({ name, shape }) => {
    const tensor = tensors[prefix + name];
    if (tensor === undefined) throw new InputError(`${source}: ${prefix}${name} is missing`, { source, name }, FITS);
    if (tensor.shape.join() !== shape.join())
      throw new InputError(
        `${source}: ${prefix}${name} has shape [${tensor.shape.join(", ")}], the model's is [${shape.join(", ")}]`,
        { source, name, shape },
        FITS,
      );
    if (!(tensor.data instanceof Float32Array || tensor.data instanceof Float64Array))
      throw new InputError(
        `${source}: ${prefix}${name} is of type ${tensor.dtype}, expected F32, F64, F16 or BF16`,
        { source, name, dtype: tensor.dtype },
        "quantized weights must be turned into floating-point numbers first",
      );
    const data = Float32Array.from(tensor.data);
    const bad = firstNotFinite(data);
    if (bad >= 0)
      throw new InputError(`${source}: ${prefix}${name} holds ${data[bad]}`, { source, name, at: bad }, DIVERGED);
    return [name, data] as const;
  });
  return pack(layout, Object.fromEntries(arrays), new Float32Array(Math.max(1, layout.size)));
}

const DIVERGED = "they are of a training that diverged; take earlier ones";

const FITS = "do the weights belong to this model, width and number of classes?";

const namesOf = ({ parameters, buffers }: Model): ReadonlySet<string> =>
  new Set([...parameters.entries, ...buffers.entries].map(({ name }) => name));

/** What DataParallel, torch.compile and Lightning put in front of every name. */
const WRAPPERS = ["module.", "_orig_mod.", "model."];

/**
 * The named arrays of a file, without the prefixes that PyTorch's wrappers of this model leave in front of all of them, and under this model's names
 * where they have another library's.
 */
export function readTensors(path: string, model: Model): Safetensors["tensors"] {
  let tensors = decodeWeights(readBytes(path, "give the path of a safetensors or .pth file"), path);
  const known = namesOf(model);
  for (;;) {
    tensors = withOwnNames(tensors, known);
    const names = Object.keys(tensors);
    const wrapper = WRAPPERS.find((prefix) => names.length > 0 && names.every((name) => name.startsWith(prefix)));
    if (wrapper === undefined || names.some((name) => known.has(name))) return tensors;
    tensors = withNames(tensors, (name) => name.slice(wrapper.length));
  }
}

const withNames = (tensors: Safetensors["tensors"], named: (name: string) => string): Safetensors["tensors"] =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [named(name), tensor]));

/** Reads a state_dict, saved by PyTorch or by us; of a checkpoint the mean of the weights, where it holds one. PyTorch's counters of batches have no use here. */
export function readWeights(path: string, model: Model): Weights {
  const tensors = readTensors(path, model);
  const known = namesOf(model);
  const ours = (name: string) => known.has(name) || statePrefixes.some((prefix) => name.startsWith(prefix));
  const extra = Object.keys(tensors).find((name) => !ours(name) && !name.endsWith("num_batches_tracked"));
  if (extra !== undefined)
    throw new InputError(`${path}: ${excerpt(extra)} is no part of this model`, { source: path, name: extra }, FITS);
  const prefix = Object.keys(tensors).some((name) => name.startsWith(AVERAGE)) ? AVERAGE : "";
  const vector = (layout: Layout) => flatten(layout, tensors, path, prefix);
  return { theta: vector(model.parameters), buffers: vector(model.buffers) };
}
