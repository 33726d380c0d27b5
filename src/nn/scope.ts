import { add, mul, stopGradient } from "../graph/ops/elementwise.ts";
import { reshape } from "../graph/ops/reshape.ts";
import { constant, input } from "../graph/ops/source.ts";
import type { DType, FloatDType, Tensor } from "../graph/tensor.ts";
import { ConfigError, InputError } from "../util/errors.ts";
import { type Shape, sizeOf } from "../util/shape.ts";
import { concat, slice } from "../graph/ops/arrange.ts";
import { type Declaration, type Layout, layoutOf, unflatten } from "./layout.ts";

/** What a layer sees of its model: its parameters and buffers by name, and whether it trains. */
export interface Scope {
  readonly training: boolean;
  /** The same model, one name further in: scope.at("layer1").at("0"). */
  at(name: string): Scope;
  parameter(declaration: Declaration): Tensor;
  /** State that is not differentiated: the running average of a statistic. */
  buffer(declaration: Declaration): Tensor;
  /** What this pass saw of the buffer's statistic, in the buffer's shape; `values` says of how many numbers each one is. */
  observe(name: string, value: Tensor, values?: number): void;
  /**
   * Independent random numbers, uniform in [0, 1): new in every training step, the same at every point that the step looks at. Undefined wherever the
   * network is measured or predicts, where nothing is random. A network asks for the same shapes in the same order in every pass.
   */
  uniform(shape: Shape): Tensor | undefined;
}

/** How far a running average moves towards what was observed; PyTorch's default. */
const MOMENTUM = 0.1;

/** A network: a function of images [N, C, H, W] or features [N, D] to logits [N, classes], on a scope. */
export type Network = (scope: Scope, x: Tensor) => Tensor;

/** A network with everything that depends on shapes alone. */
export interface Model {
  readonly parameters: Layout;
  readonly buffers: Layout;
  /** Shape of one batch of inputs. */
  readonly inputShape: Shape;
  /** Shape of what the network makes of them. */
  readonly outputShape: Shape;
  readonly network: Network;
  /** How many random numbers a pass takes (see `Scope.uniform`). */
  readonly draws: number;
  /** Names of parameters that are not differentiated. */
  readonly frozen?: ReadonlySet<string>;
}

export interface Bound {
  readonly theta: Tensor;
  readonly buffers: Tensor;
  readonly training: boolean;
  /** The random numbers of a pass, [draws]; left out, nothing is random. */
  readonly draws?: Tensor | undefined;
}

interface Store {
  readonly training: boolean;
  parameter(declaration: Declaration): Tensor;
  buffer(declaration: Declaration): Tensor;
  observe(name: string, value: Tensor, values?: number): void;
  uniform(shape: Shape): Tensor | undefined;
}

/** Finds out which parameters and buffers a network has, by running it once on placeholders. */
export function declare(network: Network, inputShape: Shape, dtype: DType = "f32"): Model {
  const parameters = new Map<string, Declaration>();
  const buffers = new Map<string, Declaration>();
  const record = (into: Map<string, Declaration>) => (declaration: Declaration) => {
    if (into.has(declaration.name))
      throw new InputError(`the model declares ${declaration.name} twice`, { name: declaration.name });
    into.set(declaration.name, declaration);
    const { shape, order } = declaration;
    return constant(0, order ? order.map((axis) => shape[axis]!) : shape);
  };
  let draws = 0;
  const store: Store = {
    training: true,
    uniform: (shape) => {
      draws += sizeOf(shape);
      return constant(0, shape);
    },
    parameter: record(parameters),
    buffer: record(buffers),
    observe: () => undefined,
  };
  const { shape: outputShape } = network(scopeOn(store), input("x", inputShape, dtype));
  return {
    parameters: layoutOf([...parameters.values()]),
    buffers: layoutOf([...buffers.values()]),
    inputShape,
    outputShape,
    network,
    draws,
  };
}

/**
 * Runs a model on given parameters: logits, and the buffers as they are after this pass: where it observed their statistics,
 * (1 − 0.1)·buffer + 0.1·observed, for all of them at once. `statistics` are what it observed itself. Random numbers are taken
 * from `draws` in the order in which the network asks.
 *
 * @throws InputError where it asks for others than when it was declared
 */
export function forward(
  model: Model,
  x: Tensor,
  { theta, buffers, training, draws }: Bound,
): { logits: Tensor; buffers: Tensor; statistics: Tensor } {
  const parameters = unflatten(model.parameters, theta);
  const state = unflatten(model.buffers, buffers);
  const observed = new Map<string, Tensor>();
  const find =
    (from: Map<string, Tensor>) =>
    ({ name }: Declaration) =>
      from.get(name)!;
  let drawn = 0;
  const store: Store = {
    training,
    uniform: (shape) => {
      if (draws === undefined) return undefined;
      const from = drawn;
      drawn += sizeOf(shape);
      if (drawn > model.draws) throw othersDrawn(drawn, model);
      return reshape(slice(draws, 0, from, drawn), shape);
    },
    parameter: (declaration) => {
      const parameter = find(parameters)(declaration);
      return model.frozen?.has(declaration.name) ? stopGradient(parameter) : parameter;
    },
    buffer: find(state),
    observe: (name, value, values) => {
      if (values === 1)
        throw new ConfigError(
          `${name} would be of one number per channel, which has no spread: its layer would give zeros for every example`,
          { name, inputShape: x.shape },
          "train on more examples per step (data.batch), or on larger images",
        );
      observed.set(name, value);
    },
  };
  const logits = model.network(scopeOn(store), x);
  if (draws !== undefined && drawn !== model.draws) throw othersDrawn(drawn, model);
  if (observed.size === 0) return { logits, buffers, statistics: buffers };
  const values = model.buffers.entries.map(({ name }) => {
    const value = observed.get(name);
    if (!value) throw new InputError(`the model declares the buffer ${name} and observes nothing for it`, { name });
    return reshape(value, [-1]);
  });
  const statistics = concat(values);
  return { logits, buffers: add(mul(1 - MOMENTUM, buffers), mul(MOMENTUM, statistics)), statistics };
}

const othersDrawn = (drawn: number, { draws }: Model) =>
  new InputError(
    `the network takes ${drawn} random numbers, and took ${draws} when it was declared`,
    { drawn, draws },
    "let it ask for the same ones in every pass, whatever scope.training is",
  );

function scopeOn(store: Store, prefix = ""): Scope {
  const named = (declaration: Declaration) => ({ ...declaration, name: prefix + declaration.name });
  return {
    training: store.training,
    at: (name) => scopeOn(store, `${prefix}${name}.`),
    parameter: (declaration) => store.parameter(named(declaration)),
    buffer: (declaration) => store.buffer(named(declaration)),
    observe: (name, value, values) => store.observe(prefix + name, value, values),
    uniform: (shape) => store.uniform(shape),
  };
}

/** An empty vector for models without buffers has length 1, because ONNX has no use for inputs of no elements. */
export const vectorLength = (layout: Layout): number => Math.max(1, layout.size);

export const vectorInput = (name: string, layout: Layout, dtype: FloatDType): Tensor =>
  input(name, [vectorLength(layout)], dtype);
