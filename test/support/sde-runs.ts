import { plannedRuns, type SdeRunConfig, sdeSettings } from "../../src/experiments/sde/config.ts";
import type { SdeEvent } from "../../src/experiments/sde/events.ts";
import { runSde } from "../../src/experiments/sde/run.ts";
import { sdeRun } from "../../src/experiments/sde/run-dir.ts";

/** A run of a second: 40 steps on 60 images. */
export const smallSde = [
  "model.width=3",
  "data.train=60",
  "data.test=30",
  "data.batch=8",
  "sde.batches=2",
  "sde.replicates=3",
  "sde.steps=40",
  "measure.every=10",
  "measure.curvatureImages=20",
];

/** The settings of one run. */
export const smallRun = (overrides: readonly string[] = [], seed = 1): SdeRunConfig =>
  plannedRuns(sdeSettings.resolve("", [...smallSde, "method.rho=0.1", ...overrides]), [seed])[0]!.config;

/** Runs in this process, or goes on; `listen` may ask to stop. */
export async function runHere(
  run: string,
  config: SdeRunConfig,
  listen: (event: SdeEvent, stop: () => void) => void = () => undefined,
) {
  await sdeRun.ensure(run, config);
  const controller = new AbortController();
  const stop = () => controller.abort();
  return runSde({ config, run, listen: (event) => listen(event, stop), stop: controller.signal });
}
