import { Worker } from "node:worker_threads";
import { ConfigError, DataError } from "../util/errors.ts";
import { moduleExtension } from "../util/package.ts";
import { workerEntry } from "../util/worker-entry.ts";
import { type Shape, sizeOf } from "../util/shape.ts";
import { type BatchPlan, batchMaker, stepsPerEpoch } from "./batch-maker.ts";
import type { Batch, BatchSource, Inputs, Split, TargetArray } from "./dataset.ts";

export interface BatchOptions extends BatchPlan {
  /** Where to begin: epoch and step in it, from 0. */
  readonly from: { readonly epoch: number; readonly step: number };
  readonly epochs: number;
}

/** Batches in order, from some place of the training on. */
export interface BatchStream {
  readonly stepsPerEpoch: number;
  /** The next batch, valid until next() is called again; undefined after the last epoch. */
  next(): Promise<Batch | undefined>;
  close(): Promise<void>;
}

/** Batches made ahead. */
const SLOTS = 3;

/** The batches of examples in memory. Augmented ones are made ahead by a worker thread: ONNX Runtime's run blocks the main one. */
export function openBatches(split: Split, options: BatchOptions): BatchStream {
  const { batch, from, epochs, augment } = options;
  assertBatch(split, batch);
  const steps = stepsPerEpoch(split.count, batch);
  const range = { first: from.epoch * steps + from.step, last: epochs * steps, steps };
  return augment === undefined ? gathered(split, options, range) : madeAhead(split, options, range);
}

/** ConfigError where a batch takes more examples than there are. */
export function assertBatch({ count }: Split, batch: number): void {
  if (batch > count)
    throw new ConfigError(
      `data.batch is ${batch}, but there are ${count} training examples`,
      { batch, count },
      "choose a smaller data.batch",
    );
}

interface Range {
  readonly first: number;
  readonly last: number;
  readonly steps: number;
}

/** Arrays for one batch; `make` decides where their memory is. */
const arraysFor = (split: Split, { batch, inputShape }: BatchPlan, make = plain): Batch => ({
  x: make(split.x, batch * sizeOf(inputShape)),
  y: make(split.y, batch * (split.y.length / split.count)),
});

function gathered(split: Split, plan: BatchPlan, { first, last, steps }: Range): BatchStream {
  const make = batchMaker(split, plan);
  const out = arraysFor(split, plan);
  let index = first;
  return {
    stepsPerEpoch: steps,
    next: async () => {
      if (index >= last) return undefined;
      make(Math.floor(index / steps), index % steps, out.x, out.y);
      index++;
      return out;
    },
    close: async () => undefined,
  };
}

function madeAhead(split: Split, plan: BatchPlan, { first, last, steps }: Range): BatchStream {
  const { inputShape, batch, seed, augment } = plan;
  const slots = Array.from({ length: SLOTS }, () => arraysFor(split, plan, shared));
  // ONNX Runtime's binding refuses arrays in shared memory, so what it reads is a copy.
  const out = arraysFor(split, plan);
  const copied = { ...split, x: share(split.x), y: share(split.y) };
  const worker = new Worker(workerEntry(new URL(`./batch-worker${moduleExtension}`, import.meta.url)), {
    workerData: { split: copied, plan: { inputShape, batch, seed, augment }, slots },
  });
  worker.unref();

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
    fail(
      new DataError(
        `the worker that prepares batches ended with status ${code}`,
        { code },
        "was it out of memory? Run the same again; EIGENSAM_DEBUG=1 shows more",
      ),
    ),
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
      const made = slots[index % SLOTS]!;
      out.x.set(made.x);
      out.y.set(made.y);
      taken++;
      ask();
      return out;
    },
    close: async () => {
      worker.removeAllListeners();
      await worker.terminate();
      fail(new DataError("the stream of batches was closed while one was asked for"));
    },
  };
}

/** The batches of a source, each epoch opened anew; one that was begun is read up to where it stopped. */
export function openSource(
  source: BatchSource,
  inputShape: Shape,
  { from, epochs }: Pick<BatchOptions, "from" | "epochs">,
): BatchStream {
  const { stepsPerEpoch: steps, batch } = source;
  let [epoch, step] = [from.epoch, 0];
  let iterator: AsyncIterator<Batch> | undefined;
  const take = async (): Promise<Batch> => {
    iterator ??= source.open(epoch)[Symbol.asyncIterator]();
    const { value, done } = await iterator.next();
    if (done)
      throw new DataError(
        `epoch ${epoch + 1} ended after ${step} batches, expected ${steps}`,
        { epoch, step, stepsPerEpoch: steps },
        "give as many batches in every epoch, or another stepsPerEpoch",
      );
    if (value.x.length !== batch * sizeOf(inputShape))
      throw new DataError(
        `epoch ${epoch + 1}, batch ${step + 1}: x has ${value.x.length} numbers, expected ${batch * sizeOf(inputShape)}`,
        { epoch, step },
      );
    if (++step === steps) {
      await iterator.return?.();
      [iterator, epoch, step] = [undefined, epoch + 1, 0];
    }
    return value;
  };
  let skip = from.step;
  return {
    stepsPerEpoch: steps,
    next: async () => {
      for (; skip > 0; skip--) await take();
      return epoch < epochs ? take() : undefined;
    },
    close: async () => {
      await iterator?.return?.();
    },
  };
}

type Numbers = Inputs | TargetArray;

const constructorOf = <T extends Numbers>(like: T) => like.constructor as new (source: number | ArrayBufferLike) => T;

const plain = <T extends Numbers>(like: T, length: number): T => new (constructorOf(like))(length);

const shared = <T extends Numbers>(like: T, length: number): T =>
  new (constructorOf(like))(new SharedArrayBuffer(length * like.BYTES_PER_ELEMENT));

function share<T extends Numbers>(values: T): T {
  const copy = shared(values, values.length);
  copy.set(values);
  return copy;
}
