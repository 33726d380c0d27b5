import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { batchMaker } from "../src/data/batch-maker.ts";
import type { Dataset, Split } from "../src/data/dataset.ts";
import { scheduleFactor } from "../src/optim/schedules.ts";
import { openRecorder, readCheckpoint } from "../src/train/checkpoint.ts";
import type { TrainEvent } from "../src/train/events.ts";
import { trainLoop, type TrainOutcome } from "../src/train/loop.ts";
import type { MetricsLine, Progress, TimingsLine } from "../src/train/records.ts";
import { builtIn, extended } from "../src/train/registry.ts";
import { firstState, numbersOf, type Problem, problemOf } from "../src/train/session.ts";
import { trainSettings } from "../src/train/settings.ts";
import type { TrainState } from "../src/train/state.ts";
import type { RunStore, Standing } from "../src/train/store.ts";
import { rng } from "../src/util/rng.ts";
import { CLASSES, FEATURES, gradientByHand, handNet, nextRunning, scoreByHand } from "./support/by-hand.ts";
import { dataset as drawn } from "./support/hand-session.ts";
import { along, relativeError, uniform } from "./support/numbers.ts";
import { F32 } from "./tolerances.ts";

const [BATCH, EPOCHS, STEPS, LR, SEED] = [6, 4, 3, 4, 3];
const registry = extended(builtIn, [handNet]);

/** Labels that a network can learn, but for some. */
const draw = (label: string, count: number): Split => {
  const random = rng(1, label);
  const x = Float32Array.from(uniform(random, count * FEATURES, -2, 2));
  const y = Int32Array.from({ length: count }, (_, i) => {
    const [a, b] = [x[FEATURES * i]!, x[FEATURES * i + 1]!];
    return random.uniform() < 0.2 ? 2 : Number(a > b);
  });
  return { x, y, count };
};
// Two are left over in every epoch.
const dataset: Dataset = { ...drawn, train: draw("train", 20), val: draw("val", 9), test: draw("test", 8) };

const problem = (more: Record<string, object> = {}, data: Dataset = dataset): Problem =>
  problemOf(
    trainSettings(registry).check({
      seed: SEED,
      threads: 1,
      model: { name: "hand-net" },
      method: { name: "sgd" },
      data: { batch: BATCH, validation: 0 },
      optimizer: { lr: LR, momentum: 0, weightDecay: 0 },
      schedule: { name: "cosine" },
      ...more,
      train: { epochs: EPOCHS, checkpointEvery: 2, testEvery: 2, ...more.train },
    }),
    data,
    registry,
  );

/** Everything that a run leaves, in memory. */
interface Left {
  readonly outcome: TrainOutcome;
  readonly lines: readonly MetricsLine[];
  readonly timings: readonly TimingsLine[];
  readonly saves: readonly Standing[];
  readonly kept: readonly (readonly [which: "last" | "best", step: number])[];
  readonly records: readonly string[];
  readonly events: readonly TrainEvent[];
}

async function run(
  of: Problem,
  { standing, stopAfter }: { standing?: Standing; stopAfter?: number } = {},
): Promise<Left> {
  const [lines, timings, saves, kept, records, events] = [
    [] as MetricsLine[],
    [] as TimingsLine[],
    [] as Standing[],
    [] as Left["kept"][number][],
    [] as string[],
    [] as TrainEvent[],
  ];
  const controller = new AbortController();
  if (stopAfter === 0) controller.abort();
  const store: RunStore = {
    run: "memory",
    checkpoint: () => `after ${saves.at(-1)?.progress.step}`,
    seconds: () => 42,
    metrics: (line) => lines.push(structuredClone(line)),
    timings: (line) => timings.push(line),
    save: (state, progress) => saves.push(structuredClone({ state, progress })),
    keep: (which, weights) => kept.push([which, (weights as TrainState).step]),
    record: ({ status }) => records.push(status),
    close: () => records.push("closed"),
  };
  const outcome = await trainLoop({
    problem: of,
    standing: structuredClone(standing),
    open: () => store,
    listen: (event) => {
      events.push(structuredClone(event));
      if (event.event === "step" && event.step + 1 === stopAfter) controller.abort();
    },
    stop: controller.signal,
  });
  return { outcome, lines, timings, saves, kept, records, events };
}

/** Without the time that it took. */
const timeless = ({ state, progress }: Standing) => ({
  state,
  progress: { ...progress, tally: { ...progress.tally, seconds: undefined } },
});

/** The same run in plain float64. */
function byHand(of: Problem) {
  const { theta: start, buffers } = firstState(of);
  let theta: Float64Array = Float64Array.from(start);
  let running = [...buffers];
  const train = of.train as Split;
  const make = batchMaker(train, { inputShape: [FEATURES], batch: BATCH, seed: SEED });
  const steps = Array.from({ length: EPOCHS * STEPS }, (_, step) => {
    const batch = { x: new Float32Array(BATCH * FEATURES), y: new Int32Array(BATCH) };
    make(Math.floor(step / STEPS), step % STEPS, batch.x, batch.y);
    const { loss, correct } = scoreByHand(theta, batch, undefined);
    const lr = LR * 0.5 * (1 + Math.cos((Math.PI * step) / (EPOCHS * STEPS)));
    const gradient = gradientByHand((at) => scoreByHand(at, batch, undefined).loss, theta);
    running = nextRunning(theta, batch, running);
    theta = along(theta, gradient, -lr);
    const scores = (split: Split) => {
      const scored = scoreByHand(theta, split, running);
      return { loss: scored.loss, accuracy: scored.correct / split.count };
    };
    return { loss, correct, lr, theta, running, val: scores(dataset.val!), test: scores(dataset.test!) };
  });
  return steps;
}

const close = (found: ArrayLike<number>, exact: ArrayLike<number>) =>
  expect(relativeError(found, exact)).toBeLessThan(10 * F32);
const kind = <K extends MetricsLine["kind"]>(left: Left, name: K) =>
  left.lines.filter((line): line is Extract<MetricsLine, { readonly kind: K }> => line.kind === name);

describe("a whole run", () => {
  let left: Left;
  let exact: ReturnType<typeof byHand>;
  beforeAll(async () => {
    left = await run(problem());
    exact = byHand(problem());
  });

  it("takes the steps that float64 takes, in their order", () => {
    const lines = kind(left, "step");
    expect(lines.map(({ step, epoch }) => [step, epoch])).toEqual(
      Array.from({ length: EPOCHS * STEPS }, (_, step) => [step, 1 + Math.floor(step / STEPS)]),
    );
    close(
      lines.map(({ loss }) => loss),
      exact.map(({ loss }) => loss),
    );
    close(
      lines.map(({ lr }) => lr),
      exact.map(({ lr }) => lr),
    );
    close(left.outcome.state.theta, exact.at(-1)!.theta);
    close(left.outcome.state.buffers, exact.at(-1)!.running);
    expect(left.outcome.state.step).toBe(EPOCHS * STEPS);
  });

  it("tells the mean of the epoch so far in every step", () => {
    const events = left.events.filter((event) => event.event === "step");
    events.forEach(({ step, stepInEpoch, epoch, loss, accuracy, lr, metrics }, t) => {
      const sofar = exact.slice(STEPS * (epoch - 1), t + 1);
      expect([step, stepInEpoch, epoch]).toEqual([t, t % STEPS, 1 + Math.floor(t / STEPS)]);
      close([loss], [sofar.reduce((sum, { loss }) => sum + loss, 0) / sofar.length]);
      expect(accuracy).toBeCloseTo(sofar.reduce((sum, { correct }) => sum + correct, 0) / (BATCH * sofar.length), 10);
      close([lr], [exact[t]!.lr]);
      expect(Object.keys(metrics)).toEqual(["gradNorm"]);
    });
    expect(events).toHaveLength(EPOCHS * STEPS);
  });

  it("scores every epoch: training as it went, validation and test after its last step, the test when it is asked for", () => {
    const lines = kind(left, "epoch");
    expect(lines.map(({ epoch, step }) => [epoch, step])).toEqual([1, 2, 3, 4].map((epoch) => [epoch, STEPS * epoch]));
    lines.forEach(({ epoch, train, val, test }) => {
      const own = exact.slice(STEPS * (epoch - 1), STEPS * epoch);
      close([train.loss], [own.reduce((sum, { loss }) => sum + loss, 0) / STEPS]);
      expect(train.accuracy).toBeCloseTo(own.reduce((sum, { correct }) => sum + correct, 0) / (STEPS * BATCH), 10);
      const last = own.at(-1)!;
      close([val!.loss], [last.val.loss]);
      expect(val!.accuracy).toBeCloseTo(last.val.accuracy, 10);
      expect(test === undefined).toBe(epoch % 2 === 1);
      close([test?.loss ?? last.test.loss], [last.test.loss]);
      expect(test?.accuracy ?? last.test.accuracy).toBeCloseTo(last.test.accuracy, 10);
    });
    const told = left.events.filter((event) => event.event === "epoch");
    expect(
      told.map(({ epoch, step, train, val, test }) => ({
        kind: "epoch",
        epoch,
        step,
        train,
        val,
        ...(test ? { test } : {}),
      })),
    ).toEqual(lines);
    const done = kind(left, "done");
    close([done[0]!.test!.loss], [exact.at(-1)!.test.loss]);
    expect(left.lines.at(-1)).toBe(done[0]);
    expect(left.timings.map((line) => [line.kind, "epoch" in line && line.epoch])).toEqual(
      [1, 2, 3, 4].map((epoch) => ["epoch", epoch]),
    );
  });

  it("keeps the best weights by accuracy, of equals the first, and the last", () => {
    const accuracies = exact.filter((_, t) => t % STEPS === STEPS - 1).map(({ val }) => val.accuracy);
    const better = accuracies.flatMap((a, i) => (a > Math.max(-1, ...accuracies.slice(0, i)) ? [i + 1] : []));
    expect(left.kept).toEqual([...better.map((epoch) => ["best", STEPS * epoch]), ["last", EPOCHS * STEPS]]);
    // The last equals the best.
    expect(better).toEqual([1, 2]);
    expect(accuracies[3]).toBe(accuracies[1]);
    const best = left.events.filter((event) => event.event === "epoch").at(-1)!.best;
    expect(best).toEqual({ epoch: better.at(-1), accuracy: Math.max(...accuracies) });
  });

  it("saves the beginning, every second step and every end of an epoch, with sums of the epoch so far", () => {
    expect(left.saves.map(({ progress }) => [progress.step, progress.epoch, progress.stepInEpoch])).toEqual([
      [0, 0, 0],
      [2, 0, 2],
      [3, 1, 0],
      [4, 1, 1],
      [6, 2, 0],
      [8, 2, 2],
      [9, 3, 0],
      [10, 3, 1],
      [12, 4, 0],
    ]);
    for (const { state, progress } of left.saves) {
      expect(state.step).toBe(progress.step);
      if (progress.step > 0) close(state.theta, exact[progress.step - 1]!.theta);
      const own = exact.slice(STEPS * progress.epoch, progress.step);
      expect(progress.sums.images).toBe(BATCH * own.length);
      expect(progress.sums.correct).toBe(own.reduce((sum, { correct }) => sum + correct, 0));
      close([progress.sums.loss], [own.reduce((sum, { loss }) => sum + loss, 0)]);
    }
    const { last } = left.saves.at(-1)!.progress;
    const epoch = kind(left, "epoch").at(-1)!;
    expect(last).toEqual({ train: epoch.train, val: epoch.val });
    expect(left.outcome).toMatchObject({ status: "done", last, result: { epochs: EPOCHS, ...last, seconds: 42 } });
    expect(left.records).toEqual(["running", "done", "closed"]);
  });

  it("says at its start what it is", () => {
    const [start] = left.events;
    expect(start).toMatchObject({
      event: "start",
      run: "memory",
      parameters: 21,
      classes: CLASSES,
      stepsPerEpoch: STEPS,
      step: 0,
    });
    expect(left.events.at(-1)).toMatchObject({ event: "done", run: "memory", epochs: EPOCHS, seconds: 42 });
  });

  it.each([0, 2, 3, 4, 8, 9])("goes on from its state after %i steps to the same lines", async (at) => {
    const standing = left.saves.find(({ progress }) => progress.step === at)!;
    const rest = await run(problem(), { standing });
    const first = left.lines.findIndex((line) => line.kind === "step" && line.step === at);
    expect(rest.lines).toEqual(left.lines.slice(first));
    expect(rest.saves.map(timeless)).toEqual(left.saves.filter(({ progress }) => progress.step > at).map(timeless));
    expect(rest.kept).toEqual(left.kept.filter(([, step]) => step > at));
    expect(rest.events[0]).toMatchObject({ event: "start", step: at });
  });

  it.each([0, 1, 2, 3, 12])(
    "that is asked to stop after %i steps saves them, unless it is at its end",
    async (stopAfter) => {
      const stopped = await run(problem(), { stopAfter });
      expect(kind(stopped, "step")).toEqual(kind(left, "step").slice(0, stopAfter));
      if (stopAfter === 12) return expect(stopped.outcome.status).toBe("done");
      expect(stopped.outcome).toMatchObject({ status: "stopped", step: stopAfter, checkpoint: `after ${stopAfter}` });
      expect(stopped.saves.at(-1)!.progress).toMatchObject({ step: stopAfter, epoch: stopAfter === 3 ? 1 : 0 });
      expect(stopped.records).toEqual(["running", "stopped", "closed"]);
      if (stopAfter < 3) expect(stopped.outcome.last).toBeNull();
      else
        expect(stopped.outcome.last).toEqual({
          train: kind(left, "epoch")[0]!.train,
          val: kind(left, "epoch")[0]!.val,
        });
    },
  );
});

describe("a run without", () => {
  it("validation or test examples has no scores of them, and keeps the last weights alone", async () => {
    const { val: _, test: __, ...bare } = dataset;
    const left = await run(problem({ train: { epochs: 2, testEvery: 1, checkpointEvery: 0 } }, bare));
    for (const line of kind(left, "epoch")) {
      expect(line.val).toBeNull();
      expect(line).not.toHaveProperty("test");
    }
    expect(kind(left, "done")).toEqual([{ kind: "done", test: null }]);
    expect(left.kept).toEqual([["last", 6]]);
    expect(left.saves.map(({ progress }) => progress.step)).toEqual([0, 3, 6]);
    expect(left.events.filter((event) => event.event === "epoch").map(({ best }) => best)).toEqual([null, null]);
  });

  it("classes keeps the weights of the least validation loss", async () => {
    const values = (split: Split): Split => ({
      ...split,
      y: Float32Array.from({ length: 3 * split.count }, (_, i) => Math.sin(i * split.count)),
    });
    const regression: Dataset = {
      ...dataset,
      targets: { kind: "values", shape: [3] },
      train: values(dataset.train as Split),
      val: values(dataset.val!),
      test: values(dataset.test!),
    };
    const left = await run(problem({ optimizer: { lr: 3, momentum: 0, weightDecay: 0 } }, regression));
    const losses = kind(left, "epoch").map(({ val }) => val!.loss);
    const better = losses.flatMap((loss, i) =>
      loss < Math.min(Number.POSITIVE_INFINITY, ...losses.slice(0, i)) ? [i + 1] : [],
    );

    expect(better.length).toBeLessThan(EPOCHS);
    expect(left.kept.slice(0, -1)).toEqual(better.map((epoch) => ["best", STEPS * epoch]));
    expect(left.saves.at(-1)!.progress.best).toEqual({ epoch: better.at(-1), loss: Math.min(...losses) });
    expect(kind(left, "epoch")[0]!.train).not.toHaveProperty("accuracy");
    expect(left.events.find((event) => event.event === "step")).not.toHaveProperty("accuracy");
    expect(left.events[0]).not.toHaveProperty("classes");
  });
});

describe("the numbers of a step", () => {
  const config = (more: Record<string, object> = {}) =>
    problem({ schedule: { name: "step", milestones: [2], gamma: 0.5 }, ...more }).config;

  it("are the rate by the schedule, and ρ while it grows", () => {
    const growing = config({ method: { name: "sam", rho: 0.6, rhoWarmup: 1.5 } });
    expect([0, 1, 3, 5, 6, 7].map((step) => numbersOf(growing, step, 4))).toEqual([
      { lr: LR, hyper: { rho: 0 } },
      { lr: LR, hyper: { rho: 0.6 * (1 / 6) } },
      { lr: LR, hyper: { rho: 0.6 * (3 / 6) } },
      { lr: LR, hyper: { rho: 0.6 * (5 / 6) } },
      { lr: LR },
      { lr: LR },
    ]);
    expect([7, 8].map((step) => numbersOf(config(), step, 4))).toEqual([{ lr: LR }, { lr: LR / 2 }]);
    const cosine = problem().config;
    const at = { stepsPerEpoch: 5, epochs: EPOCHS, warmup: 0, milestones: [], gamma: 1 };
    expect(numbersOf(cosine, 7, 5).lr).toBeCloseTo(LR * scheduleFactor("cosine", { ...at, step: 7 }), 12);
  });
});

describe("a checkpoint", () => {
  it("gives back every vector under its own name, what is known of v, and the progress", () => {
    const of = problem({ method: { name: "eigen-sam" }, optimizer: { name: "adamw" } });
    const first = firstState(of);
    const run = mkdtempSync(join(tmpdir(), "eigensam-checkpoint-"));
    let seed = 0;
    const fresh = (vector: Float32Array) => Float32Array.from(uniform(rng(++seed, "checkpoint"), vector.length));
    const each = (vectors: Readonly<Record<string, Float32Array>>) =>
      Object.fromEntries(Object.entries(vectors).map(([name, vector]) => [name, fresh(vector)]));
    const state: TrainState = {
      theta: fresh(first.theta),
      buffers: fresh(first.buffers),
      slots: each(first.slots),
      method: each(first.method),
      v: fresh(first.v),
      probe: each({ start: first.theta, other: first.theta }),
      quality: { made: true, failures: 3, at: 5 },
      step: 7,
    };
    const progress: Progress = {
      step: 7,
      epoch: 2,
      stepInEpoch: 1,
      sums: { loss: 1.5, correct: 3, images: 6 },
      last: null,
      best: { epoch: 2, accuracy: 0.5 },
      metricsBytes: 0,
      timingsBytes: 0,
      seconds: 0,
    };
    const recorder = openRecorder(run, of, progress);
    recorder.save(state, progress);
    recorder.close();
    const found = readCheckpoint(run, of)!;
    expect(found.state).toEqual(state);
    expect(found.progress).toEqual({ ...progress, seconds: expect.any(Number) });
    expect(Object.keys(state.slots)).toEqual(["exp_avg", "exp_avg_sq"]);
  });
});
