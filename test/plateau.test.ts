import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { train } from "../src/api/train.ts";
import type { TrainEvent } from "../src/train/events.ts";
import { guessingLoss } from "../src/train/plateau.ts";
import { trainRun } from "../src/train/run-dir.ts";
import { losses } from "../src/nn/losses.ts";

/** Two clouds of points, told apart by their first number. */
const clouds = (count: number, classes = 2) => ({
  x: Array.from({ length: count }, (_, i) => [i % classes, (i * 7) % 5]),
  y: Array.from({ length: count }, (_, i) => i % classes),
});

async function warningsOf(options: {
  readonly lr: number;
  count: number;
  batch: number;
  epochs: number;
  dir?: string;
}) {
  const { lr, count, ...rest } = options;
  const run = train({
    data: { train: clouds(count) },
    loss: "cross-entropy",
    model: { name: "mlp", width: 4, depth: 1 },
    method: { name: "sam", rho: 0.1 },
    optimizer: { lr, weightDecay: 0 },
    threads: 1,
    ...rest,
  });
  const warnings: Extract<TrainEvent, { event: "warning" }>[] = [];
  for await (const event of run) if (event.event === "warning") warnings.push(event);
  await (await run.done).release();
  return warnings;
}

it.each([
  ["short epochs", { count: 40, batch: 4, epochs: 22 }, 100],
  ["long epochs", { count: 210, batch: 1, epochs: 1 }, 200],
])("says once in %s that the loss has not moved, and what to try", async (_, size, step) => {
  const dir = join(mkdtempSync(join(tmpdir(), "eigensam-plateau-")), "run");
  const warnings = await warningsOf({ lr: 0, ...size, dir });
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toMatchObject({ step });
  expect(warnings[0]!.message).toMatch(
    /no better than guessing \(0.693\)\n {2}hint: try method.rho=0.02, model.init=he with method.rhoWarmup=1, .*another optimizer.lr/,
  );
  const lines = trainRun.readMetrics(dir).filter(({ kind }) => kind === "warning");
  expect(lines).toMatchObject([{ step, message: warnings[0]!.message }]);
});

it.each([
  ["learns", { lr: 0.1, count: 40, batch: 4, epochs: 12 }],
  ["is too short to tell", { lr: 0, count: 40, batch: 4, epochs: 9 }],
])("says nothing of a training that %s", async (_, options) => {
  expect(await warningsOf(options)).toEqual([]);
});

it("measures guessing by the labels at hand", () => {
  const guess = (labels: readonly number[], classes: number, labelSmoothing = 0) =>
    guessingLoss({
      train: { x: new Float32Array(labels.length), y: Int32Array.from(labels), count: labels.length },
      task: {
        format: { inputShape: [1], targets: { kind: "labels", classes }, mean: [], std: [], dtype: "f32" },
        network: (_, x) => x,
        loss: losses["cross-entropy"],
        labelSmoothing,
      },
    });
  expect(guess([0, 1, 2, 3], 4)).toBeCloseTo(Math.log(4), 6);
  expect(guess([0, 1], 256)).toBeCloseTo(Math.log(2), 6);
  expect(guess([0, 0, 0, 1], 2)).toBeCloseTo(-0.75 * Math.log(0.75) - 0.25 * Math.log(0.25), 6);
  expect(guess([0, 1, 1, 1], 2, 0.2)).toBeCloseTo(-0.7 * Math.log(0.7) - 0.3 * Math.log(0.3), 6);
  expect(guess([0, 0, 0], 2)).toBeUndefined();
});
