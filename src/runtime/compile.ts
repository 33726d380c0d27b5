import { input } from "../graph/ops/source.ts";
import type { DType, Tensor } from "../graph/tensor.ts";
import { emitModel, type NamedTensor } from "../onnx/emit.ts";
import { lower } from "../onnx/lower/index.ts";
import { inPieces, type Pieces, pieceName } from "../onnx/pieces.ts";
import { rematerialize } from "../onnx/rematerialize.ts";
import { sharedBuffers } from "../onnx/shared-buffers.ts";
import { InputError } from "../util/errors.ts";
import type { Shape } from "../util/shape.ts";
import { defaultThreads, type TargetOptions, targetOf } from "./device.ts";
import { assertInPlace, lateReader } from "./in-place.ts";
import { nodeSessions } from "./node-session.ts";
import { allocate, type NodeTime, type Session, type SessionFactory, type TypedArray } from "./session.ts";
import { onViews } from "./views.ts";

/** Name, shape and dtype of each input. */
export type InputSpec = Readonly<Record<string, { readonly shape: Shape; readonly dtype?: DType }>>;

export interface CompileOptions extends TargetOptions {
  readonly threads?: number;
  /** Record the time of every node; see Executable.profile. */
  readonly profile?: boolean;
  /**
   * Make large, cheap intermediates (transformed weights, ReLU masks) again for the backward pass instead of keeping them
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
   * a later operation could still read the input.
   */
  readonly inPlace?: Readonly<Record<string, string>>;
  /**
   * Give long parameter vectors (from 2²⁰ numbers) to the model in pieces, one per layer, as views of the caller's arrays; true on
   * the CPU. `run` takes and gives whole arrays either way; the inputs and outputs of `onnx` are called name[start:end].
   */
  readonly pieces?: boolean;
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
 * Compiles a function of tensors: traces it on symbolic inputs, lowers the graph for the device and loads it into ONNX
 * Runtime. Shapes are those of `spec`; dtypes are f32 unless given. `release` frees the session.
 *
 * @throws InputError where an output is named like an input, or an output is written over an input that is still read
 * @throws DeviceError where the device is missing
 * @example
 * ```ts
 * const f = await compile(({ x }) => ({ y: mul(x, x) }), { x: { shape: [3] } });
 * const { y } = await f.run({ x: Float32Array.of(1, 2, 3) });
 * console.log(y); // [1, 4, 9]
 * await f.release();
 * ```
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
  const lowered = named(names, lower(Object.values(outputs), target));
  const inPlace = Object.entries(options.inPlace ?? {});
  const { outputs: pieces, cut } =
    (options.pieces ?? target.device === "cpu") ? cutUp(lowered, inPlace) : uncut(lowered);
  const tensors = pieces.map(({ tensor }) => tensor);
  const final = named(
    pieces.map(({ name }) => name),
    (options.rematerialize ?? true) ? rematerialize(tensors) : tensors,
  );
  for (const pair of inPlace) for (const each of piecePairs(pair, cut)) assertInPlace(final, each);
  const results = final.map(({ tensor }) => tensor);
  const told = target.device === "cpu" ? sharedBuffers(results, options.bufferBudget) : undefined;
  const model = emitModel(final, target, told);
  const emitted = performance.now();

  const sessions = options.sessions ?? nodeSessions(target.device);
  const port = ({ name, tensor: { shape, dtype } }: NamedTensor) => ({ name, shape, dtype });
  const session = await sessions(model.bytes, model.inputs.map(port), final.map(port), {
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
  const own = lowered.map(port).filter((p) => !over.has(p.name));
  const buffers = Object.fromEntries(own.map((p) => [p.name, allocate(p)]));
  return new Executable(
    onViews(session, cut, Object.keys(spec)),
    Object.keys(spec),
    buffers as never,
    inPlace,
    stats,
    model.bytes,
  );
}

const named = (names: readonly string[], tensors: readonly Tensor[]): NamedTensor[] =>
  tensors.map((tensor, i) => ({ name: names[i]!, tensor }));

const uncut = (outputs: readonly NamedTensor[]): Pieces => ({ outputs, cut: new Map() });

/** Long vectors in pieces, save those outputs a piece of which would be written over what is still to be read. */
function cutUp(outputs: readonly NamedTensor[], inPlace: readonly (readonly [string, string])[]): Pieces {
  const pieces = inPieces(outputs);
  const late = inPlace.filter((pair) => {
    const pairs = piecePairs(pair, pieces.cut);
    return pairs.length > 1 && pairs.some((each) => lateReader(pieces.outputs, each) !== undefined);
  });
  return late.length === 0 ? pieces : inPieces(outputs, new Set(late.map(([, output]) => output)));
}

/** Which pieces of an input an output, or its pieces, are written over. */
function piecePairs([input, output]: readonly [string, string], cut: Pieces["cut"]): (readonly [string, string])[] {
  const [from, to] = [cut.get(input), cut.get(output)];
  return (from ?? to ?? [undefined]).map((s) => [
    from && s ? pieceName(input, s) : input,
    to && s ? pieceName(output, s) : output,
  ]);
}

/**
 * A compiled function, made by {@link compile}. Its outputs are buffers of its own, overwritten by the next run: copy
 * what must last.
 *
 * @example
 * ```ts
 * const f: Executable<"x", "y"> = await compile(({ x }) => ({ y: mul(x, x) }), { x: { shape: [1] } });
 * const { y } = await f.run({ x: Float32Array.of(2) });
 * await f.run({ x: Float32Array.of(3) });
 * console.log(y, f.stats.nodes); // [9] 1
 * ```
 */
export class Executable<In extends string = string, Out extends string = string> {
  readonly stats: CompileStats;
  /** The ONNX model, ready to be saved; long vectors may be in pieces, see CompileOptions.pieces. */
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
