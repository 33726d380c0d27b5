import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runSweep, type SweepOptions } from "eigensam/node";
import { expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "eigensam-sweep-"));
const options: SweepOptions = {
  name: "rates",
  settings: { "model.name": "mlp", "model.width": 4, data: { examples: 300, batch: 50 }, "train.epochs": 2 },
  vary: { "optimizer.lr": [0.1, 1e30, 0.01] },
  seeds: 2,
  threads: 1,
};

it("makes what is missing, ranks the trials by their mean over seeds, and keeps why a run failed", async () => {
  const dir = join(folder, "rates");
  const controller = new AbortController();
  const made: string[] = [];
  const onEvent = (event: { readonly event: string }) => {
    if (event.event === "done") made.push("run");
    if (made.length === 2) controller.abort();
  };
  const first = await runSweep(options, { dir, onEvent, signal: controller.signal });
  expect([first.complete, made.length]).toEqual([false, 2]);
  const { trials, complete, report } = await runSweep(options, { dir, onEvent });
  expect([complete, made.length]).toEqual([false, 4]);
  expect(trials.map(({ n }) => n)).toEqual([2, 2, 0]);
  const [best, other, failed] = trials;
  expect(best!.mean).toBeGreaterThanOrEqual(other!.mean);
  expect(best!.mean).toBeCloseTo((best!.runs[0]!.value! + best!.runs[1]!.value!) / 2, 12);
  expect(failed!.point).toEqual({ "optimizer.lr": 1e30 });
  expect(failed!.runs.map(({ state, seed }) => [state, seed])).toEqual([
    ["failed", 1],
    ["failed", 2],
  ]);
  expect(failed!.runs[0]!.error).toContain("the loss is");
  expect((await report(join(folder, "report"))).html).toContain("report.html");
  await expect(runSweep({ ...options, seeds: 3 }, { dir })).rejects.toThrow(/holds another plan: changed: seeds/);
});

it("searches", async () => {
  const { vary: _, ...rest } = options;
  const vary = { "optimizer.lr": { min: 0.001, max: 1, log: true } };
  const search = { by: "asha", trials: 3, eta: 2 } as const;
  const { trials } = await runSweep({ ...rest, name: "s", vary, search, seeds: [1] }, { dir: join(folder, "s") });
  expect(trials).toHaveLength(3);
  expect(trials.filter(({ n }) => n === 1).length).toBeGreaterThan(0);
  expect(trials.flatMap(({ runs }) => runs).every(({ state }) => state === "done" || state === "stopped")).toBe(true);
});

it("refuses what a sweep file refuses", async () => {
  const dir = join(folder, "wrong");
  await expect(runSweep({ ...options, vary: { seed: [1] } }, { dir })).rejects.toThrow("seed varies");
  await expect(runSweep({ ...options, vary: { "optimizer.lr": [-1] } }, { dir })).rejects.toThrow("optimizer.lr is -1");
});
