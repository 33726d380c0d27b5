import type { Measure } from "../../sweep/measure.ts";
import { settingOf } from "../../sweep/names.ts";
import { isComplete, ranked, type RunState, type TrialStatus } from "../../sweep/status.ts";
import type { Sweep } from "../../sweep/sweep.ts";
import { isFixed } from "../../sweep/trials.ts";
import { percent, short } from "../format.ts";
import { emit } from "../ui.ts";

const states: readonly RunState[] = ["done", "running", "queued", "stopped", "waiting", "failed"];

/** Prints how the runs of a sweep stand: numbers, failures, and the trials that are complete, the best first. */
export function showStatus(sweep: Sweep, measure: Measure, trials: readonly TrialStatus[], json: boolean): void {
  const runs = trials.flatMap((trial) => trial.runs.map((run) => ({ ...run, point: trial.point })));
  if (json) {
    for (const { name, id, trial, path, state, error, value, config, point } of runs)
      emit({ name, id, trial, seed: config.seed, point, path, state, error: error ?? null, value: value ?? null });
    return;
  }
  const counts = states.flatMap((state) => {
    const count = runs.filter((run) => run.state === state).length;
    return count > 0 ? [`${count} ${state}`] : [];
  });
  const { definition, out } = sweep;
  const yet = isFixed(definition) ? "" : ` of ${definition.search.trials}`;
  console.log(`${definition.name} in ${out}: ${trials.length}${yet} trials, ${definition.seeds.length} seeds each`);
  console.log(`${runs.length} runs: ${counts.join(", ") || "none yet"}`);
  for (const { name, error } of runs.filter(({ state }) => state === "failed"))
    console.log(`failed: ${name}: ${error}`);
  const best = ranked(trials, measure);
  if (best.length === 0) {
    const done = trials.some(isComplete);
    if (done)
      console.log(`\nno run has a ${measure.about}, so trials are not ranked: set measure, or data.validation above 0`);
    return;
  }
  console.log(`\n${measure.about}, mean over seeds${best[0]!.summary.ci95 === undefined ? "" : " ± 95 % interval"}`);
  for (const trial of best.slice(0, SHOWN))
    console.log(`  ${valueText(measure, trial).padEnd(18)} ${pointText(trial)}`);
  if (best.length > SHOWN) console.log(`  and ${best.length - SHOWN} more`);
}

const SHOWN = 20;

/** "87.41 ± 0.3 %", or a number. */
export function valueText({ about }: Measure, { summary: { mean, ci95 } }: Pick<TrialStatus, "summary">): string {
  const text = about.endsWith("accuracy") ? (x: number) => percent(x, 2) : (x: number) => short(x);
  return ci95 === undefined ? text(mean) : `${text(mean)} ± ${text(ci95)}`;
}

/** The values that a trial's settings have of what varies: SGD has no radius. */
const pointText = ({ point, runs }: Pick<TrialStatus, "point" | "runs">): string =>
  Object.entries(point)
    .filter(([key]) => settingOf(runs[0]!.config, key) !== undefined)
    .map(
      ([key, value]) =>
        `${key}=${typeof value === "number" ? short(value) : Array.isArray(value) ? JSON.stringify(value) : value}`,
    )
    .join("  ") || "the settings as they are";
