import { appendFileSync } from "node:fs";
import { plannedRuns, sdeSettings } from "../../src/experiments/sde/config.ts";
import { type PathName, pathsOf } from "../../src/experiments/sde/processes.ts";
import { type Quantity, quantityNames } from "../../src/experiments/sde/report/read.ts";
import { sdeRun } from "../../src/experiments/sde/run-dir.ts";
import { runFiles } from "../../src/run/files.ts";
import { sdeVariantNames } from "../../src/sde/variants.ts";

export interface FakeSdeRun {
  readonly seed?: number;
  readonly rho?: number;
  readonly settings?: readonly string[];
  readonly status?: "done" | "stopped";
  /** What is measured. */
  value(path: PathName, quantity: Quantity, step: number): number;
}

/** The steps of a made-up run at which it is measured. */
export const FAKE_STEPS = [0, 10, 20, 30, 40];

/** A run directory of the SDE experiment with given numbers, for what reads run directories. */
export function fakeSdeRun(
  run: string,
  { seed = 1, rho = 0.1, settings = [], status = "done", value }: FakeSdeRun,
): string {
  const given = ["sde.steps=40", "measure.every=10", "sde.replicates=3", `method.rho=${rho}`, ...settings];
  const { config } = plannedRuns(sdeSettings.resolve("", given), [seed])[0]!;
  sdeRun.create(run, config);
  const steps = status === "done" ? FAKE_STEPS : FAKE_STEPS.slice(0, 2);
  sdeRun.writeRecord(run, { versions: { eigensam: "0", node: "0" }, config, status, step: steps.at(-1)!, seconds: 1 });
  const lines = steps.flatMap((step) => [
    ...pathsOf(config.sde).map((process) => ({
      ...{ kind: "measure", step, process, residual: 0 },
      ...Object.fromEntries(quantityNames.map((quantity) => [quantity, value(process, quantity, step)])),
    })),
    { kind: "drift", step, ...Object.fromEntries(sdeVariantNames.map((name, i) => [name, 0.1 * i])) },
  ]);
  appendFileSync(runFiles(run).metrics, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  return run;
}
