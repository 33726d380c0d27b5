import { parentPort, workerData } from "node:worker_threads";
import { type BatchPlan, batchMaker } from "./batch-maker.ts";
import type { Batch, Split } from "./dataset.ts";

interface Request {
  readonly index: number;
  readonly slot: number;
  readonly epoch: number;
  readonly step: number;
}

const { split, plan, slots } = workerData as {
  readonly split: Split;
  readonly plan: BatchPlan;
  readonly slots: readonly Batch[];
};
const make = batchMaker(split, plan);

parentPort!.on("message", ({ index, slot, epoch, step }: Request) => {
  make(epoch, step, slots[slot]!.x, slots[slot]!.y);
  parentPort!.postMessage(index);
});
