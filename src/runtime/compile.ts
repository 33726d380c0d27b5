import { input } from "../graph/ops/source.ts";
import type { DType, Tensor } from "../graph/tensor.ts";
import { emitModel, type NamedTensor } from "../onnx/emit.ts";
import { lower } from "../onnx/lower/index.ts";
import { rematerialize } from "../onnx/rematerialize.ts";
import { InputError } from "../util/errors.ts";
import type { Shape } from "../util/shape.ts";
import { defaultThreads, type TargetOptions, targetOf } from "./device.ts";
import { assertInPlace } from "./in-place.ts";
import { nodeSessions } from "./node-session.ts";
import { allocate, type NodeTime, type Session, type SessionFactory, type TypedArray } from "./session.ts";

/** Name, shape and dtype of each input. */
export type InputSpec = Readonly<Record<string, { readonly shape: Shape; readonly dtype?: DType }>>;

export interface CompileOptions extends TargetOptions {
  readonly threads?: number;
  /** Record the time of every node; see Executable.profile. */
  readonly profile?: boolean;
  /**
   * Make large, cheap intermediates (transformed weights and small images, ReLU masks) again for the backward pass instead of
   * keeping them (true, the default): ResNet18 at width 64, batch 128 takes 200 MB less memory for 2 % more time.
   */
  readonly rematerialize?: boolean;
  /**
   * Inputs whose arrays the named outputs are written over, as an optimizer's state: { theta: "nextTheta" }. An error where
   * a later operation could still read the input.
   */
  readonly inPlace?: Readonly<Record<string, string>>;
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

/**
 * Traces `fn` on symbolic inputs, lowers it for the device and loads it.
 *
 *     const f = await compile(({ x }) => ({ y: mul(x, x) }), { x: { shape: [3] } });
 *     const { y } = await f.run({ x: Float32Array.of(1, 2, 3) });
 */
export async function compile<I extends InputSpec, O extends Readonly<Record<string, Tensor>>>(
  fn: (inputs: { readonly [K in keyof I]: Tensor }) => O,
  spec: I,
  options: CompileOptions = {},
): Promise<Executable<Extract<keyof I, string>, Extract<keyof O, string>>> {
  const start = performance.now();
  const inputs = Object.entries(spec).map(([name, { shape, dtype = "f32" }]) => ({
    name,
    tensor: input(name, shape, dtype),
  }));
  const outputs = fn(Object.fromEntries(inputs.map(({ name, tensor }) => [name, tensor])) as never);
  const names = Object.keys(outputs);
  for (const name of names)
    if (name in spec)
      throw new InputError(`compile: ${name} names both an input and an output`, { name }, "rename the output");
  const traced = performance.now();

  const target = targetOf(options);
  const simple = lower(Object.values(outputs), target);
  const lowered = (options.rematerialize ?? true) ? rematerialize(simple) : simple;
  const named = lowered.map((tensor, i): NamedTensor => ({ name: names[i]!, tensor }));
  const inPlace = Object.entries(options.inPlace ?? {});
  for (const pair of inPlace) assertInPlace(new Map(named.map(({ name, tensor }) => [name, tensor])), pair);
  const model = emitModel(named, target);
  const emitted = performance.now();

  const sessions = options.sessions ?? nodeSessions(target.device);
  const port = ({ name, tensor: { shape, dtype } }: NamedTensor) => ({ name, shape, dtype });
  const outputPorts = named.map(port);
  const session = await sessions(model.bytes, model.inputs.map(port), outputPorts, {
    threads: options.threads ?? defaultThreads(),
    profile: options.profile ?? false,
  });
  const stats: CompileStats = {
    traceSeconds: (traced - start) / 1000,
    lowerSeconds: (emitted - traced) / 1000,
    sessionSeconds: (performance.now() - emitted) / 1000,
    nodes: model.nodes,
    bytes: model.bytes.length,
  };
  const over = new Set(inPlace.map(([, output]) => output));
  const buffers = Object.fromEntries(outputPorts.filter((p) => !over.has(p.name)).map((p) => [p.name, allocate(p)]));
  return new Executable(session, Object.keys(spec), buffers as never, inPlace, stats, model.bytes);
}

/** A compiled function. Its outputs are buffers of its own, overwritten by the next run: copy what must last. */
export class Executable<In extends string = string, Out extends string = string> {
  readonly stats: CompileStats;
  /** The ONNX model, ready to be saved. */
  readonly onnx: Uint8Array;
  private readonly session: Session;
  private readonly known: ReadonlySet<string>;
  private readonly buffers: Readonly<Record<Out, TypedArray>>;
  private readonly inPlace: readonly (readonly [input: string, output: string])[];

  constructor(
    session: Session,
    inputs: readonly string[],
    buffers: Readonly<Record<Out, TypedArray>>,
    inPlace: readonly (readonly [input: string, output: string])[],
    stats: CompileStats,
    onnx: Uint8Array,
  ) {
    this.session = session;
    this.known = new Set(inputs);
    this.buffers = buffers;
    this.inPlace = inPlace;
    this.stats = stats;
    this.onnx = onnx;
  }

  /** Runs on the given arrays. `into` replaces some of the output buffers by arrays of the caller's. */
  async run(
    inputs: Readonly<Record<In, TypedArray>>,
    into: Partial<Record<Out, TypedArray>> = {},
  ): Promise<Record<Out, TypedArray>> {
    for (const name of Object.keys(inputs))
      if (!this.known.has(name))
        throw new InputError(`run: no input is called ${name}`, { name }, `inputs: ${[...this.known].join(", ")}`);
    const over = Object.fromEntries(this.inPlace.map(([input, output]) => [output, inputs[input as In]]));
    const outputs = { ...this.buffers, ...over, ...into };
    await this.session.run(inputs, outputs);
    return outputs;
  }

  /** Time per node so far, slowest first. Ends profiling. */
  profile(): readonly NodeTime[] {
    return this.session.profile();
  }

  release(): Promise<void> {
    return this.session.release();
  }
}
