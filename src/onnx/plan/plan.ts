import type { Target, Tensor } from "../../graph/tensor.ts";
import type { ModelPlan, NamedTensor } from "../emit.ts";
import { executionOrder } from "./execution.ts";
import { assertInPlace, type InPlace, lateReader } from "./in-place.ts";
import { chooseKnownShapes } from "./known-shapes.ts";
import { rematerialize } from "./rematerialize.ts";
import { partName, type Splits, splitVectors } from "./split.ts";

export interface PlanOptions {
  /**
   * Recompute large, cheap intermediates (transformed weights, ReLU masks) for the backward pass instead of keeping them
   * (true, the default): ResNet18 at width 64 takes less memory for 1 % more time.
   */
  readonly rematerialize?: boolean;
  /**
   * Bytes beyond what is alive at once that the CPU may take to give values of one shape the same memory (1.28e8, the
   * default): faster where cores share no cache.
   */
  readonly bufferBudget?: number;
  /**
   * Inputs whose arrays the named outputs are written over, as an optimizer's state: { theta: "nextTheta" }. An error where
   * a later operation could still read the input, unless `copyBack` is set.
   */
  readonly inPlace?: Readonly<Record<string, string>>;
  /**
   * Where an output cannot be written over its input while the graph runs, give it memory of its own and copy it over the input
   * after the run (false, the default). One vector more, and the time of one copy.
   */
  readonly copyBack?: boolean;
  /**
   * Give long parameter vectors (from 2²⁰ numbers) to the model in parts, one per layer, as views of the caller's arrays; true on
   * the CPU. `run` takes and gives whole arrays either way; the inputs and outputs of `onnx` are called name[start:end].
   */
  readonly splitVectors?: boolean;
}

/** A model, and how its inputs and outputs relate to the caller's. */
export interface Plan extends ModelPlan {
  /** The caller's vectors that the model has in parts. */
  readonly splits: Splits;
  /** Outputs that are copied over their inputs after the run. */
  readonly copies: readonly InPlace[];
}

/**
 * Decides how memory is used when ONNX Runtime runs `outputs`, which are lowered for the target. Long vectors go in and out in
 * parts, some intermediates are computed twice, and some shapes are declared to ONNX Runtime's planner. Throws where an output
 * cannot be written over its input.
 */
export function plan(outputs: readonly NamedTensor[], target: Target, options: PlanOptions = {}): Plan {
  const onCpu = target.device === "cpu";
  const inPlace = Object.entries(options.inPlace ?? {}).map(([input, output]) => ({ input, output }));
  const split = (options.splitVectors ?? onCpu) ? splitSafely(outputs, inPlace) : { outputs, splits: new Map() };

  const kept = tensorsOf(split.outputs);
  const keptOrder = executionOrder(kept);
  const final = (options.rematerialize ?? true) ? rematerialize(kept, keptOrder) : kept;
  const order = final === kept ? keptOrder : executionOrder(final);
  const named = split.outputs.map(({ name }, i) => ({ name, tensor: final[i]! }));

  const partsFor = (pair: InPlace) => partsOf(pair, split.splits);
  const isLate = (pair: InPlace) => partsFor(pair).some((part) => lateReader(named, part) !== undefined);
  const copies = options.copyBack ? inPlace.filter(isLate) : [];
  for (const pair of inPlace) if (!copies.includes(pair)) for (const part of partsFor(pair)) assertInPlace(named, part);
  return {
    outputs: named,
    splits: split.splits,
    copies,
    shapesAtRunTime: onCpu,
    knownShapes: onCpu ? chooseKnownShapes(order, final, options.bufferBudget) : new Set(),
  };
}

const tensorsOf = (outputs: readonly NamedTensor[]): readonly Tensor[] => outputs.map(({ tensor }) => tensor);

/** Splits long vectors, but not outputs a part of which would be written over what is still to be read. */
function splitSafely(outputs: readonly NamedTensor[], inPlace: readonly InPlace[]) {
  const split = splitVectors(outputs);
  const unsafe = inPlace.filter((pair) => {
    const parts = partsOf(pair, split.splits);
    return parts.length > 1 && parts.some((part) => lateReader(split.outputs, part) !== undefined);
  });
  return unsafe.length === 0 ? split : splitVectors(outputs, new Set(unsafe.map(({ output }) => output)));
}

/** Which part of the input each part of the output is written over; the pair itself where neither is split. */
function partsOf({ input, output }: InPlace, splits: Splits): InPlace[] {
  const ranges = splits.get(input) ?? splits.get(output);
  if (ranges === undefined) return [{ input, output }];
  return ranges.map((range) => ({
    input: splits.has(input) ? partName(input, range) : input,
    output: splits.has(output) ? partName(output, range) : output,
  }));
}
