import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memoryStore } from "../../src/api/memory.ts";
import { CUSTOM, networkEntry } from "../../src/api/resolve-options.ts";
import type { BatchSource, Dataset } from "../../src/data/dataset.ts";
import { mean, silu } from "../../src/nn/functions.ts";
import { fromNchw } from "../../src/nn/images.ts";
import { batchNorm, conv, linear } from "../../src/nn/layers.ts";
import { type Layout, pack, unpack } from "../../src/nn/layout.ts";
import type { Network } from "../../src/nn/scope.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { BEGINNING } from "../../src/train/checkpoint.ts";
import { trainLoop } from "../../src/train/loop.ts";
import type { MetricsLine } from "../../src/train/records.ts";
import { builtIn, datasetOf, extended } from "../../src/train/registry.ts";
import { firstState, problemOf } from "../../src/train/session.ts";
import { trainSettings } from "../../src/train/settings.ts";
import type { TrainState } from "../../src/train/state.ts";
import { decodeSafetensors } from "../../src/util/safetensors.ts";
import { fill, normOf } from "./numbers.ts";

/** The settings of scripts/golden/official.py. */
const { batch, steps, epochs, ...numbers } = {
  batch: 16,
  steps: 30,
  epochs: 3,
  every: 8,
  lr: 0.1,
  rho: 0.1,
  alpha: 0.2,
};
const [PIXEL_SEED, V_SEED] = [1000, 3000];
const PIXELS = 3 * 32 * 32;

/** θ, momentum and running statistics, in PyTorch's order. */
export interface OfficialState {
  readonly theta: Float32Array;
  readonly momentum: Float32Array;
  readonly buffers: Float32Array;
}

export type OfficialMethod = "sam" | "eigen-sam";

/** What scripts/golden/official.py recorded, see its README. */
export interface OfficialGolden {
  /** Of Eigen-SAM, before each step, and after the last. */
  readonly states: readonly OfficialState[];
  /** Before each step, and of the same run with the images of each batch in reverse order. */
  readonly losses: Readonly<Record<OfficialMethod, readonly number[]>>;
  readonly reversed: Readonly<Record<OfficialMethod, readonly number[]>>;
  readonly rates: readonly number[];
  /** v by the step before which it was estimated. */
  readonly refreshes: ReadonlyMap<number, Float32Array>;
  readonly names: readonly string[];
  readonly pixelSum: number;
}

export function officialGolden(): OfficialGolden {
  const file = new URL("../golden/official.safetensors", import.meta.url);
  const { tensors, metadata } = decodeSafetensors(readFileSync(file), "official.safetensors");
  const rows = (name: string): Float32Array[] => {
    const { shape, data } = tensors[name]!;
    const [count, size] = shape as [number, number];
    return Array.from({ length: count }, (_, i) => (data as Float32Array).subarray(i * size, (i + 1) * size));
  };
  const numbers = (name: string) => [...(tensors[name]!.data as Float64Array)];
  const [momentum, buffers, v] = [rows("momentum"), rows("buffers"), rows("v")];
  return {
    states: rows("theta").map((theta, i) => ({ theta, momentum: momentum[i]!, buffers: buffers[i]! })),
    losses: { sam: numbers("sam.losses"), "eigen-sam": numbers("eigen-sam.losses") },
    reversed: { sam: numbers("sam.reversed"), "eigen-sam": numbers("eigen-sam.reversed") },
    rates: numbers("rates"),
    refreshes: new Map(numbers("refreshes").map((step, i) => [step, v[i]!])),
    names: metadata.names!.split(","),
    pixelSum: Number(metadata.pixelSum),
  };
}

/** The network of the script. */
const network: Network = (scope, x) => {
  const block = (h: Tensor, n: number, out: number) =>
    silu(batchNorm(scope.at(`bn${n}`), conv(scope.at(`conv${n}`), h, out, { kernel: 3, stride: 2 })));
  return linear(scope.at("linear"), mean(block(block(fromNchw(x), 1, 2), 2, 3), [0, 1]), 10);
};

let made: string | undefined;
/** A folder in CIFAR-10's format with the images of the script, in their order: one for all runs. */
const cifarFolder = () => (made ??= writeCifar());

function writeCifar(): string {
  const count = batch * steps;
  const noise = fill(PIXEL_SEED, count * PIXELS);
  const record = PIXELS + 1;
  const bytes = new Uint8Array(count * record);
  for (let i = 0; i < count; i++) {
    const label = (7 * i + 3) % 10;
    bytes[i * record] = label;
    for (let at = 0; at < PIXELS; at++) {
      const shift = 12 * ((label + 3 * Math.floor(at / 1024)) % 10);
      bytes[i * record + 1 + at] = Math.floor((noise[i * PIXELS + at]! + 1) * 64) + shift;
    }
  }
  const folder = mkdtempSync(join(tmpdir(), "eigensam-official-"));
  const fifth = bytes.length / 5;
  for (let part = 0; part < 5; part++)
    writeFileSync(join(folder, `data_batch_${part + 1}.bin`), bytes.subarray(part * fifth, (part + 1) * fifth));
  writeFileSync(join(folder, "test_batch.bin"), bytes.subarray(0, record));
  return folder;
}

export interface Followed {
  readonly lines: readonly MetricsLine[];
  /** After each step. */
  readonly states: readonly OfficialState[];
  /** v after each step. */
  readonly vectors: readonly Float32Array[];
  readonly names: readonly string[];
  readonly pixelSum: number;
}

/**
 * The training of the script by our own loop, with compat=official. Forced, each step begins from PyTorch's state; free, only the
 * first does.
 */
export async function follow(
  golden: OfficialGolden,
  method: OfficialMethod,
  course: "forced" | "free",
): Promise<Followed> {
  const registry = extended(builtIn, [networkEntry(network)]);
  const { rho, alpha, every, lr } = numbers;
  const config = trainSettings(registry).check({
    threads: 1,
    model: { name: CUSTOM },
    data: { name: "cifar10", dir: cifarFolder(), batch },
    method: { name: method, rho, ...(method === "eigen-sam" ? { alpha } : {}), every, compat: "official" },
    optimizer: { lr },
    train: { epochs },
  });
  const read = await datasetOf(config, registry);
  const images = read.train as Extract<Dataset["train"], { readonly count: number }>;
  const [states, vectors, lines]: [OfficialState[], Float32Array[], MetricsLine[]] = [[], [], []];
  let state: TrainState | undefined;

  // The loop asks for a batch before it does anything else in a step, so here one stands between two steps.
  const between = (step: number) => {
    if (step > 0) keep();
    if (course === "forced") set(step);
  };
  const train: BatchSource = {
    stepsPerEpoch: steps,
    batch,
    like: images.x,
    open: async function* (epoch) {
      for (let step = 0; step < steps; step++) {
        between(epoch * steps + step);
        const from = batch * ((step + 10 * epoch) % steps);
        yield {
          x: images.x.subarray(from * PIXELS, (from + batch) * PIXELS),
          y: images.y.subarray(from, from + batch),
        };
      }
    },
  };
  const problem = problemOf(config, { ...read, train }, registry);
  const { parameters, buffers } = problem.model;
  const names = parameters.entries.map(({ name }) => name);

  const keep = () => {
    const { theta, slots, v } = state!;
    states.push({
      theta: flat(parameters, theta),
      momentum: flat(parameters, slots.momentum_buffer!),
      buffers: flat(buffers, state!.buffers),
    });
    vectors.push(flat(parameters, v));
  };
  const set = (step: number) => {
    const at = golden.states[step]!;
    pack(parameters, named(parameters, at.theta), state!.theta);
    pack(parameters, named(parameters, at.momentum), state!.slots.momentum_buffer!);
    pack(buffers, named(buffers, at.buffers), state!.buffers);
    const last = [...golden.refreshes].findLast(([refresh]) => refresh < step);
    if (last) pack(parameters, named(parameters, last[1]), state!.v);
  };

  state = firstState(problem);
  set(0);
  pack(parameters, firstVector(parameters), state.v);
  const store = memoryStore(problem);
  const outcome = await trainLoop({
    problem,
    standing: { state, progress: BEGINNING },
    open: () => ({ ...store, metrics: (line) => lines.push(line) }),
    listen: () => undefined,
    stop: new AbortController().signal,
  });
  if (outcome.status !== "done") throw new Error(`the training ended as ${outcome.status}`);
  keep();
  return { lines, states, vectors, names, pixelSum: (images.x as Uint8Array).reduce((sum, pixel) => sum + pixel, 0) };
}

/** Where the script's power iteration starts: of length 1 as a whole. */
function firstVector({ entries }: Layout): Record<string, Float64Array> {
  const parts = entries.map(({ size }, k) => fill(V_SEED + k, size));
  const length = normOf(parts.map(normOf));
  return Object.fromEntries(entries.map(({ name }, k) => [name, parts[k]!.map((value) => value / length)]));
}

/** A vector of PyTorch's order as named arrays, and back. */
function named({ entries }: Layout, values: Float32Array): Record<string, Float32Array> {
  return Object.fromEntries(entries.map(({ name, offset, size }) => [name, values.subarray(offset, offset + size)]));
}

const flat = (layout: Layout, values: Float32Array): Float32Array =>
  Float32Array.from(Object.values(unpack(layout, values)).flatMap((part) => [...part]));
