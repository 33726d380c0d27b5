import { input } from "../graph/ops/source.ts";
import type { DType, Tensor } from "../graph/tensor.ts";
import { emitModel, type NamedTensor } from "../onnx/emit.ts";
import { lower } from "../onnx/lower/index.ts";
import { plan, type PlanOptions } from "../onnx/plan/plan.ts";
import { InputError } from "../util/errors.ts";
import { mapValues } from "../util/map-values.ts";
import { type Shape, showShape } from "../util/shape.ts";
import type { InputArray } from "./arrays.ts";
import { defaultThreads, type TargetOptions } from "./device.ts";
import { nodeSessions } from "./node-session.ts";
import { type RunOptions, runner } from "./runner.ts";
import type { NodeTime, Port, SessionFactory, TypedArray } from "./session.ts";
import { splitSession } from "./split-session.ts";
import { targetHere } from "./target-here.ts";

/** Name, shape and dtype of each input; the dtype is f32 by default. */
export type InputSpec = Readonly<Record<string, { readonly shape: Shape; readonly dtype?: DType }>>;

type DTypeOf<Spec> = Spec extends unknown ? ("dtype" extends keyof Spec ? Spec["dtype"] : never) : never;

/** What a compiled function returns: Float32Arrays, unless an input may be f64. */
export type OutputArray<I extends InputSpec> = "f64" extends DTypeOf<I[keyof I]> ? TypedArray : Float32Array;

/** Device, threads and memory of a compiled function. */
export interface CompileOptions extends TargetOptions, PlanOptions {
  readonly threads?: number;
  /** Keep the memory of a run for the next (true, the default). Of graphs that take turns, those without it share what they free. */
  readonly arena?: boolean;
  /** Record the time of every node; see Executable.profile. */
  readonly profile?: boolean;
  /** Where to load the model; the default is onnxruntime-node on `device`. */
  readonly sessions?: SessionFactory;
}

/** How long the way from function to session took, in seconds, and how large the graph became. */
export interface CompileStats {
  readonly traceSeconds: number;
  readonly lowerSeconds: number;
  readonly sessionSeconds: number;
  readonly nodes: number;
  readonly bytes: number;
}

/** A compiled function. */
export interface Executable<
  In extends string = string,
  Out extends string = string,
  Output extends TypedArray = TypedArray,
> {
  readonly stats: CompileStats;
  /** The ONNX model, ready to be saved; long vectors may be in parts, see PlanOptions.splitVectors. */
  readonly onnx: Uint8Array;
  /**
   * Runs on arrays in row-major order, one per input. Plain arrays of numbers are converted. Outputs are fresh arrays that
   * belong to the caller; with `reuse` they are overwritten by the next run. Outputs named in CompileOptions.inPlace are
   * written over their inputs' arrays. Throws an InputError for an array that is missing, or has another length or dtype.
   */
  run(inputs: Readonly<Record<In, InputArray>>, options?: RunOptions<Out>): Promise<Record<Out, Output>>;
  /** Time per node so far, slowest first. Ends profiling. */
  profile(): readonly NodeTime[];
  release(): Promise<void>;
}

/**
 * Compiles a function of tensors: traces it on symbolic inputs, lowers the graph for the device and loads it into ONNX
 * Runtime. Shapes are those of `spec`; dtypes are f32 unless given. Outputs are f32, unless an input is f64. `release`
 * frees the session.
 *
 * @throws InputError where an output has another dtype, or the name of an input
 * @throws DeviceError where the device is missing
 * @example
 * ```ts
 * const f = await compile(({ x }) => ({ y: mul(x, x) }), { x: { shape: [3] } });
 * const { y } = await f.run({ x: [1, 2, 3] });
 * console.log(y); // [1, 4, 9]
 * await f.release();
 * ```
 */
export async function compile<I extends InputSpec, O extends Readonly<Record<string, Tensor>>>(
  fn: (inputs: Readonly<Record<Extract<keyof I, string>, Tensor>>) => O,
  spec: I,
  options: CompileOptions = {},
): Promise<Executable<Extract<keyof I, string>, Extract<keyof O, string>, OutputArray<I>>> {
  const start = performance.now();
  const inputs = mapValues<Extract<keyof I, string>, I[string], Tensor>(spec, ({ shape, dtype }, name) =>
    input(name, shape, dtype),
  );
  const outputs = fn(inputs);
  const float64 = Object.values(spec).some(({ dtype }) => dtype === "f64");
  for (const [name, { dtype, shape }] of Object.entries(outputs))
    if (!float64 && dtype !== "f32")
      throw new InputError(
        `compile: the output ${name} is ${dtype} ${showShape(shape)}, expected f32, as no input is f64`,
        { name, dtype },
        `convert it: cast(${name}, "f32")`,
      );
  const seconds = (performance.now() - start) / 1000;
  return compileGraph(outputs, spec, options, seconds);
}

/**
 * Compiles `outputs` as functions of inputs that exist already; they may have any dtype. `traceSeconds` is what it took to
 * make them.
 */
export async function compileGraph<In extends string, Out extends string, Output extends TypedArray = TypedArray>(
  outputs: Readonly<Record<Out, Tensor>>,
  spec: Readonly<Record<In, InputSpec[string]>>,
  options: CompileOptions = {},
  traceSeconds = 0,
): Promise<Executable<In, Out, Output>> {
  const names = Object.keys(outputs);
  for (const name of names)
    if (Object.hasOwn(spec, name))
      throw new InputError(`compile: ${name} names both an input and an output`, { name }, "rename the output");
  const start = performance.now();
  const target = await targetHere(Object.values<Tensor>(outputs), options);
  const lowered = lower(Object.values<Tensor>(outputs), target).map((tensor, i) => ({ name: names[i]!, tensor }));
  const planned = plan(lowered, target, options);
  const model = emitModel(planned, target);
  const emitted = performance.now();
  const load = options.sessions ?? nodeSessions(target.device);
  const session = await load(model.bytes, model.inputs.map(portOf), planned.outputs.map(portOf), {
    threads: options.threads ?? defaultThreads(),
    profile: options.profile ?? false,
    arena: options.arena ?? true,
  });
  const stats: CompileStats = {
    traceSeconds,
    lowerSeconds: (emitted - start) / 1000,
    sessionSeconds: (performance.now() - emitted) / 1000,
    nodes: model.nodes,
    bytes: model.bytes.length,
  };
  return {
    stats,
    onnx: model.bytes,
    run: runner({
      session: splitSession(session, planned.splits),
      inputs: mapValues(spec, ({ shape, dtype = "f32" }, name): Port => ({ name, shape, dtype })),
      outputs: mapValues(outputs, (tensor, name) => portOf({ name, tensor })),
      needed: new Set([...model.inputs.map(({ name }) => name), ...planned.splits.keys()]),
      over: new Map(Object.entries(options.inPlace ?? {}).map(([input, output]) => [output, input])),
      copied: new Set(planned.copies.map(({ output }) => output)),
    }),
    profile: () => session.profile(),
    release: () => session.release(),
  };
}

const portOf = ({ name, tensor: { shape, dtype } }: NamedTensor): Port => ({ name, shape, dtype });
