import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { expect, it } from "vitest";
import { batchMaker } from "../src/data/batch-maker.ts";
import { workerEntry } from "../src/util/worker-entry.ts";

it("starts a worker from the sources of a clone, which makes the batches that the main thread would", async () => {
  const split = { x: Uint8Array.from({ length: 64 }, (_, i) => i), y: Int32Array.of(0, 1, 2, 3), count: 4 };
  const plan = { inputShape: [1, 4, 4], batch: 2, seed: 3, augment: { crop: 1, flip: true, cutout: 0 } };
  const slot = { x: new Uint8Array(new SharedArrayBuffer(32)), y: new Int32Array(new SharedArrayBuffer(8)) };
  const module = new URL("../src/data/batch-worker.ts", import.meta.url);
  const worker = new Worker(workerEntry(module), { workerData: { split, plan, slots: [slot] } });
  worker.postMessage({ index: 7, slot: 0, epoch: 2, step: 1 });
  expect(await once(worker, "message")).toEqual([7]);
  await worker.terminate();
  const [x, y] = [new Uint8Array(32), new Int32Array(2)];
  batchMaker(split, plan)(2, 1, x, y);
  expect([[...slot.x], [...slot.y]]).toEqual([[...x], [...y]]);
});
