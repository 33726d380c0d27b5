import { multiplicationsOf } from "../../graph/multiplications.ts";
import { networkOf } from "../../models/entry.ts";
import { crossEntropy } from "../../nn/functions.ts";
import { initialize } from "../../nn/layout.ts";
import { declare, forward, vectorLength } from "../../nn/scope.ts";
import { type CompileStats, compile, type Executable } from "../../runtime/compile.ts";
import type { Convolution } from "../../runtime/device.ts";
import type { TypedArray } from "../../runtime/session.ts";
import type { Registry } from "../../train/registry.ts";
import { randomDirection } from "../../spectrum/vectors.ts";
import { rng } from "../../util/rng.ts";
import { benchMethods } from "./methods.ts";

export interface WorkloadOptions {
  readonly model: string;
  readonly method: string;
  readonly width: number;
  /** Where the model has a choice; left out, its default. */
  readonly depth?: number | undefined;
  readonly batch: number;
  readonly size: number;
  readonly channels: number;
  readonly classes: number;
  readonly threads: number;
  readonly convolution: Convolution;
  readonly profile: boolean;
}

/** One method compiled for one fixed random batch. */
export interface Workload {
  readonly stats: CompileStats;
  /** Floating-point operations of a step's products and convolutions by their definitions, in thousand millions. */
  readonly gflop: number;
  readonly profile: Executable["profile"];
  step(): Promise<void>;
}

export async function prepare(options: WorkloadOptions, registry: Registry): Promise<Workload> {
  const { batch, classes, channels, size } = options;
  const method = benchMethods(registry)[options.method]!;
  const entry = registry.models[options.model]!;
  const width = entry.defaultWidth === undefined ? undefined : options.width;
  const model = declare(networkOf(entry, { classes, width, depth: options.depth }), [batch, channels, size, size]);
  const vector = { shape: [model.parameters.size] };
  const spec = {
    theta: vector,
    momentum: vector,
    v: vector,
    buffers: { shape: [vectorLength(model.buffers)] },
    x: { shape: model.inputShape },
    y: { shape: [batch], dtype: "i32" as const },
  };
  let gflop = 0;
  const executable: Executable = await compile(
    ({ x, y, buffers, ...inputs }) => {
      const pass = (theta: typeof x) => forward(model, x, { theta, buffers, training: true });
      const outputs = method.build((theta) => crossEntropy(pass(theta).logits, y), inputs);
      gflop = (2 * multiplicationsOf(Object.values(outputs))) / 1e9;
      // Running statistics are part of a training step, and PyTorch's side updates its own.
      return model.buffers.size === 0 ? outputs : { ...outputs, nextBuffers: pass(inputs.theta).buffers };
    },
    spec,
    { ...options, ...(method.advances ? { inPlace: { theta: "nextTheta", momentum: "nextMomentum" } } : {}) },
  );

  // Arrays exist only where the method reads them: the memory is part of what is measured.
  const feeds: Record<string, TypedArray> = {
    theta: initialize(model.parameters, (name) => rng(0, "theta", name), new Float32Array(model.parameters.size)),
    buffers: initialize(model.buffers, (name) => rng(0, name), new Float32Array(vectorLength(model.buffers))),
    x: normals("images", new Float32Array(batch * channels * size * size)),
    y: labels(batch, classes),
    ...(method.advances ? { momentum: new Float32Array(model.parameters.size) } : {}),
    ...(method.vector ? { v: randomDirection(new Float32Array(model.parameters.size), rng(0, "v")) } : {}),
  };
  // What tracing and drawing left behind is no part of a step's memory.
  globalThis.gc?.();

  return {
    stats: executable.stats,
    gflop,
    profile: () => executable.profile(),
    step: async () => {
      await executable.run(feeds, { reuse: true });
    },
  };
}

function normals(label: string, into: Float32Array): Float32Array {
  const random = rng(0, label);
  for (let i = 0; i < into.length; i++) into[i] = random.normal();
  return into;
}

function labels(count: number, classes: number): Int32Array {
  const random = rng(0, "labels");
  return Int32Array.from({ length: count }, () => Math.floor(random.uniform() * classes));
}
