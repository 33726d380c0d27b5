import { Worker } from "node:worker_threads";
import { ConfigError, DataError } from "../util/errors.ts";
import { moduleExtension, workerEntry } from "../util/package.ts";
import type { Pixels } from "./augment.ts";
import { type BatchPlan, stepsPerEpoch } from "./batch-maker.ts";
import type { Split } from "./dataset.ts";

export interface BatchOptions extends BatchPlan {
  /** Where to begin: epoch and step in it, from 0. */
  readonly from: { readonly epoch: number; readonly step: number };
  readonly epochs: number;
}

export interface Batch {
  /** [batch, C, H, W]; valid until next() is called again. */
  readonly images: Pixels;
  readonly labels: Int32Array;
  readonly epoch: number;
  readonly step: number;
}

/** Batches in order, made ahead by a worker thread: ONNX Runtime's run blocks the main one. */
export interface BatchStream {
  readonly stepsPerEpoch: number;
  /** The next batch, or undefined after the last epoch. */
  next(): Promise<Batch | undefined>;
  close(): Promise<void>;
}

/** Batches made ahead. */
const SLOTS = 3;

export function openBatches(split: Split, options: BatchOptions): BatchStream {
  const { imageShape, batch, from, epochs } = options;
  const steps = stepsPerEpoch(split.count, batch);
  if (steps === 0)
    throw new ConfigError(
      `data.batch is ${batch}, but there are ${split.count} training images`,
      { batch, count: split.count },
      "choose a smaller data.batch",
    );
  const size = imageShape[0] * imageShape[1] * imageShape[2];
  const slots = Array.from({ length: SLOTS }, () => ({
    images: sharedLike(split.images, batch * size),
    labels: new Int32Array(new SharedArrayBuffer(4 * batch)),
  }));
  // ONNX Runtime's binding refuses arrays in shared memory, so what it reads is a copy.
  const images = plainLike(split.images, batch * size);
  const labels = new Int32Array(batch);
  const shared = { ...split, images: share(split.images), labels: share(split.labels) };
  const worker = new Worker(workerEntry(new URL(`./batch-worker${moduleExtension}`, import.meta.url)), {
    workerData: { split: shared, plan: { imageShape, batch, seed: options.seed, augment: options.augment }, slots },
  });
  worker.unref();

  const first = from.epoch * steps + from.step;
  const last = epochs * steps;
  let [asked, taken] = [first, first];
  const ready = new Set<number>();
  let failure: Error | undefined;
  let wake: () => void = () => undefined;
  worker.on("message", (index: number) => {
    ready.add(index);
    wake();
  });
  const fail = (error: Error) => {
    failure ??= error;
    wake();
  };
  worker.on("error", fail);
  worker.on("exit", (code) =>
    fail(new DataError(`the worker that prepares images ended with status ${code}`, { code })),
  );

  const ask = () => {
    for (; asked < last && asked < taken + SLOTS; asked++)
      worker.postMessage({ index: asked, slot: asked % SLOTS, epoch: Math.floor(asked / steps), step: asked % steps });
  };
  ask();
  return {
    stepsPerEpoch: steps,
    next: async () => {
      const index = taken;
      if (index >= last) return undefined;
      while (!ready.has(index)) {
        if (failure) throw failure;
        await new Promise<void>((resolve) => {
          wake = resolve;
          worker.ref();
        });
      }
      worker.unref();
      ready.delete(index);
      images.set(slots[index % SLOTS]!.images as never);
      labels.set(slots[index % SLOTS]!.labels);
      taken++;
      ask();
      return { images, labels, epoch: Math.floor(index / steps), step: index % steps };
    },
    close: async () => {
      worker.removeAllListeners();
      await worker.terminate();
      fail(new DataError("the stream of batches was closed while one was asked for"));
    },
  };
}

const plainLike = (images: Pixels, length: number): Pixels =>
  images instanceof Uint8Array ? new Uint8Array(length) : new Float32Array(length);

const sharedLike = (images: Pixels, length: number): Pixels =>
  images instanceof Uint8Array
    ? new Uint8Array(new SharedArrayBuffer(length))
    : new Float32Array(new SharedArrayBuffer(4 * length));

function share<T extends Pixels | Int32Array>(values: T): T {
  const copy = new (values.constructor as new (buffer: SharedArrayBuffer) => T)(
    new SharedArrayBuffer(values.byteLength),
  );
  copy.set(values as never);
  return copy;
}
