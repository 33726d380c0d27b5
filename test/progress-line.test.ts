import { stripVTControlCharacters } from "node:util";
import { describe, expect, it, vi } from "vitest";
import { type Field, fitLine } from "../src/cli/progress-line.ts";
import { progressView } from "../src/cli/train/progress.ts";
import type { TrainEvent } from "../src/train/events.ts";
import { fakeTerminal } from "./support/terminal.ts";

const fields: readonly Field[] = [
  { rank: 9, text: "epoch 37/200" },
  { rank: 3, fraction: 0.5 },
  { rank: 5, text: "112/196" },
  { rank: 8, text: "loss 0.412" },
  { rank: 6, text: "acc 86.1%" },
  { rank: 4, text: "λ₁ 14.2" },
  { rank: 1, text: "lr 0.0921" },
  { rank: 0, text: "4,310 img/s" },
  { rank: -1, text: "data 2%" },
  { rank: 7, text: "ETA 1h42m" },
];
const lineOf = (columns: number): string => stripVTControlCharacters(fitLine(fields, columns));

describe("a progress line", () => {
  it.each([
    [40, "epoch 37/200  loss 0.412  ETA 1h42m"],
    [80, "epoch 37/200  ━━━━━━━───────  112/196  loss 0.412  acc 86.1%  λ₁ 14.2  ETA 1h42m"],
    [
      120,
      "epoch 37/200  ━━━━━━━━━━━──────────  112/196  loss 0.412  acc 86.1%  λ₁ 14.2  lr 0.0921  4,310 img/s  data 2%  ETA 1h42m",
    ],
    [
      Number.POSITIVE_INFINITY,
      "epoch 37/200  ━━━━━━━━━━━━────────────  112/196  loss 0.412  acc 86.1%  λ₁ 14.2  lr 0.0921  4,310 img/s  data 2%  ETA 1h42m",
    ],
  ])("fits %d columns", (columns, expected) => {
    expect(lineOf(columns)).toBe(expected);
    if (Number.isFinite(columns) && expected.includes("━")) expect(expected).toHaveLength(columns);
  });

  it("never exceeds its columns", () => {
    for (let columns = 0; columns < 140; columns++) expect(lineOf(columns).length).toBeLessThanOrEqual(columns);
  });

  it("is cut where not even its most useful field fits", () => {
    expect(lineOf(7)).toBe("epoch 3");
  });
});

describe("how long a run takes", () => {
  /** What is said of a run whose steps take so many seconds. */
  const said = (seconds: number, epochs: number): string[] => {
    const terminal = fakeTerminal(200);
    const config = {
      ...{ method: { name: "sam" }, model: { name: "mlp" }, data: { name: "x" }, seed: 1, device: "cpu" },
      train: { epochs },
    };
    const start = { event: "start", run: "r", config, notes: [], step: 0, stepsPerEpoch: 10 } as unknown as TrainEvent;
    const numbers = { loss: 0.5, lr: 0.1, metrics: {}, extra: {}, imagesPerSecond: 9, dataWait: 0 };
    try {
      const view = progressView();
      view(start);
      for (let step = 0; step < 10; step++) {
        vi.advanceTimersByTime(1000 * seconds);
        view({ event: "step", step, epoch: 1, stepInEpoch: step, ...numbers } as unknown as TrainEvent);
      }
      return terminal.screen().filter((row) => row.includes("to go"));
    } finally {
      terminal.restore();
    }
  };

  it("is said once, after a few steps, where it is over a minute", () => {
    expect(said(1, 100)).toEqual([
      expect.stringMatching(/^about 16m\d+s to go, 10\.0s an epoch; Ctrl-C saves, and --resume continues/),
    ]);
    // The third second comes before the fifth step, or the fifth step before the third second.
    expect(said(0.5, 100)).toEqual([expect.stringMatching(/^about 8m\d+s to go, 5\.0s an epoch/)]);
  });

  it("is not said of a short run", () => expect(said(1, 2)).toEqual([]));
});

describe("the line of a run in training", () => {
  it.each([
    [false, false, /v̂ not good yet: SAM/],
    // As the authors' code: whatever was found is used.
    [false, true, /loss 0\.500 {2}lr/],
    [true, true, /loss 0\.500 {2}lr/],
  ])("after an estimate that is good: %s, used: %s", (good, used, expected) => {
    const terminal = fakeTerminal(100);
    const refresh = { event: "refresh", step: 0, epoch: 1, seconds: 0, good, used } as unknown as TrainEvent;
    const numbers = { loss: 0.5, lr: 0.1, metrics: {}, extra: {}, imagesPerSecond: 9, dataWait: 0 };
    try {
      const view = progressView();
      view(refresh);
      view({ event: "step", step: 0, epoch: 1, stepInEpoch: 0, ...numbers });
      expect(terminal.screen().join()).toMatch(expected);
    } finally {
      terminal.restore();
    }
  });

  it("that is scored inside an epoch, and ends", () => {
    const terminal = fakeTerminal(100);
    const rules = { before: 0, warmup: 0, own: 3, between: 0 };
    const counts = { rules, alongV: 0, alignment: 0, clipped: 0, estimates: 0, good: 0 };
    const score = { loss: 0.25, accuracy: 0.5 };
    try {
      const view = progressView();
      view({ event: "validation", step: 7, epoch: 1, val: score, best: { epoch: 1, accuracy: 0.75 } });
      view({
        ...{ event: "done", run: "runs/one", epochs: 1, train: score, val: null, test: score, seconds: 2 },
        tally: { ...counts, seconds: { steps: 1, estimates: 0, probe: 0, data: 0.5 } },
      });
      expect(terminal.screen()).toEqual([
        "step 7  val 0.250  acc 50.0%  (best 75.0% @ 1)",
        "test accuracy 50.00%, loss 0.2500; 2.0s in all",
        "steps     3: 3 of the method",
        "time      50.0% steps, 25.0% waiting for data, 25.0% scoring, saving and the rest",
      ]);
    } finally {
      terminal.restore();
    }
  });
});
