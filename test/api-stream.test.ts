import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { linear, type Network } from "../src/index.ts";
import { DataError, type Examples, TrainingError, train, type TrainEvent, type TrainOptions } from "../src/node.ts";
import { runFiles } from "../src/run/files.ts";
import { oneLinear, regressionData } from "./support/linear.ts";

const folder = mkdtempSync(join(tmpdir(), "eigensam-api-stream-"));
afterAll(() => rmSync(folder, { recursive: true }));

const { x, y } = regressionData(24, 2);
const batches: readonly Examples[] = [0, 8, 16].map((i) => ({ x: x.slice(i, i + 8), y: y.slice(i, i + 8) }));
const base = {
  model: oneLinear,
  method: { name: "eigen-sam", solver: "power", every: 2 },
  optimizer: { lr: 0.05 },
  epochs: 4,
  threads: 1,
} as const satisfies Partial<TrainOptions>;

async function* streamed(order: readonly Examples[]) {
  for (const examples of order) yield examples;
}

describe("batches as they come", () => {
  const trained = async (data: TrainOptions["data"], epochs = 4) =>
    (await train({ ...base, data, epochs }).done).weights();

  it("give the same weights from a function, synchronous or not", async () => {
    const first = await trained({ train: () => batches, stepsPerEpoch: 3 });
    expect(await trained({ train: () => streamed(batches), stepsPerEpoch: 3 })).toEqual(first);
    expect(await trained({ train: () => streamed([...batches].reverse()), stepsPerEpoch: 3 })).not.toEqual(first);
  });

  it("give the same weights as an array that is one batch", async () => {
    const [only] = batches;
    if (only === undefined) throw new Error("no batch");
    const fromArrays = await train({ ...base, data: { train: only }, batch: 8 }).done;
    const shown = (w: Record<string, { readonly data: Float32Array }>) =>
      Object.values(w).flatMap(({ data }) => [...data]);
    const [a, b] = [shown(fromArrays.weights()), shown(await trained({ train: () => [only], stepsPerEpoch: 1 }))];
    // The order of the rows differs, and with it the rounding.
    for (const [i, value] of a.entries()) expect(b[i]).toBeCloseTo(value, 4);
  });

  it("pass the epoch, from 0", async () => {
    const epochs: number[] = [];
    const source = (epoch: number) => {
      epochs.push(epoch);
      return batches;
    };
    await trained({ train: source, stepsPerEpoch: 3 }, 2);
    expect(epochs).toEqual([0, 0, 1]);
  });

  it("read an iterable once where one epoch is all", async () => {
    const first = await trained({ train: () => batches, stepsPerEpoch: 3 }, 1);
    expect(await trained({ train: streamed(batches), stepsPerEpoch: 3 }, 1)).toEqual(first);
  });

  it("say when an epoch has too few", async () => {
    const { done } = train({ ...base, data: { train: () => batches, stepsPerEpoch: 4 } });
    await expect(done).rejects.toThrow("epoch 1 ended after 3 batches, expected 4");
    await expect(train({ ...base, data: { train: () => [], stepsPerEpoch: 4 } }).done).rejects.toThrow(DataError);
  });
});

describe("a run that is stopped in the middle of an epoch", () => {
  const sources = {
    arrays: { train: { x, y } },
    batches: { train: () => streamed(batches), stepsPerEpoch: 3 },
  } as const satisfies Record<string, TrainOptions["data"]>;
  it.each(["arrays", "batches"] as const)("resumes by the same call to the same bytes, from %s", async (kind) => {
    const options = { ...base, data: sources[kind], ...(kind === "arrays" ? { batch: 8 } : {}) };
    const [whole, halved] = [join(folder, `${kind}-whole`), join(folder, `${kind}-halved`)];
    const undisturbed = await train({ ...options, dir: whole }).done;
    const controller = new AbortController();
    const onEvent = (event: TrainEvent) => {
      if (event.event === "step" && event.step === 4) controller.abort();
    };
    const first = await train({ ...options, dir: halved }, { onEvent, signal: controller.signal }).done;
    expect([first.status, first.steps]).toEqual(["stopped", 5]);
    const resumed = await train({ ...options, dir: halved }).done;
    expect([resumed.status, resumed.steps]).toEqual(["done", 12]);
    expect(resumed.weights()).toEqual(undisturbed.weights());
    for (const file of ["metrics", "weights"] as const)
      expect(readFileSync(runFiles(halved)[file])).toEqual(readFileSync(runFiles(whole)[file]));
    await expect(train({ ...options, dir: halved }).done).rejects.toThrow("is complete");
    await expect(train({ ...options, seed: 2, dir: halved }).done).rejects.toThrow("was made with other settings");
  });

  const options = { ...base, data: sources.arrays, batch: 8 };
  const stoppedAt = async (dir: string | undefined) => {
    const run = train({ ...options, ...(dir === undefined ? {} : { dir }) });
    for await (const event of run) if (event.event === "step" && event.step === 3) run.stop();
    return run.done;
  };

  it("resumes from memory once it is saved", async () => {
    const dir = join(folder, "from-memory");
    const stopped = await stoppedAt(undefined);
    expect(stopped.status).toBe("stopped");
    await stopped.save(dir);
    const [resumed, undisturbed] = await Promise.all([train({ ...options, dir }).done, train(options).done]);
    expect(resumed.steps).toBe(12);
    expect(resumed.weights()).toEqual(undisturbed.weights());
    await expect(stopped.save(dir)).rejects.toThrow("is not empty");
  });

  it("refuses other data and another network", async () => {
    const dir = join(folder, "changed");
    await stoppedAt(dir);
    const other = { train: { x, y: y.map(([value = 0]) => [value + 1]) } };
    await expect(train({ ...options, data: other, dir }).done).rejects.toThrow("was begun with other data");
    const deeper: Network = (scope, input) => linear(scope.at("out"), linear(scope.at("more"), input, 2), 1);
    await expect(train({ ...options, model: deeper, dir }).done).rejects.toThrow("was begun with another network");
  });
});

describe("events", () => {
  const options = { ...base, data: { train: { x, y } }, batch: 8 };
  const epochsOf = async (run: AsyncIterable<TrainEvent>) => {
    const seen: number[] = [];
    for await (const event of run) if (event.event === "epoch") seen.push(event.epoch);
    return seen;
  };

  it("reach every reader and the callback, in order", async () => {
    const called: TrainEvent[] = [];
    const run = train(options, { onEvent: (event) => called.push(event) });
    const read: TrainEvent[] = [];
    const all = (async () => {
      for await (const event of run) read.push(event);
    })();
    expect(await epochsOf(run)).toEqual([1, 2, 3, 4]);
    await all;
    expect(read).toEqual(called);
    expect(called.map(({ event }) => event).filter((event) => event !== "refresh")).toEqual([
      "start",
      ...Array.from({ length: 4 }, () => ["step", "step", "step", "epoch"]).flat(),
      "done",
    ]);
  });

  it("do not hold a run up where a reader breaks off", async () => {
    const run = train(options);
    for await (const event of run) if (event.event === "step") break;
    expect((await run.done).steps).toBe(12);
  });

  it("come to two calls of next at once", async () => {
    const run = train(options);
    const reader = run[Symbol.asyncIterator]();
    const [first, second] = await Promise.all([reader.next(), reader.next()]);
    expect([first.value?.event, second.value?.event]).toEqual(["start", "refresh"]);
    const waiting = train(options)[Symbol.asyncIterator]();
    const never = waiting.next();
    await waiting.return?.();
    expect(await never).toEqual({ done: true, value: undefined });
    await run.done;
  });

  it("end in the error of a run that fails, for readers and for done", async () => {
    const failing = { ...options, optimizer: { lr: 1e30 } };
    await expect(train(failing).done).rejects.toThrow(TrainingError);
    const run = train(failing);
    await expect(epochsOf(run)).rejects.toThrow(/is (NaN|Infinity) at step/);
    await expect(run.done).rejects.toThrow(TrainingError);
  });

  it("stop a run by its own method", async () => {
    const run = train(options);
    for await (const event of run) if (event.event === "step" && event.step === 1) run.stop();
    const { status, steps, test } = await run.done;
    expect([status, test]).toEqual(["stopped", null]);
    expect(steps).toBeLessThan(12);
  });
});
