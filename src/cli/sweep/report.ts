import { join } from "node:path";
import { findRuns } from "../../report/find-runs.ts";
import { writeRuns } from "../../report/runs.ts";
import { measureOf } from "../../sweep/measure.ts";
import { isComplete, statusOf, type TrialStatus } from "../../sweep/status.ts";
import { type Sweep, trialsOf } from "../../sweep/sweep.ts";
import { trialsTable } from "../../sweep/table.ts";
import { trainRunOf } from "../../train/run-dir.ts";
import { duration } from "../format.ts";
import { isFixed } from "../../sweep/trials.ts";
import { shellWord } from "../../sweep/slurm-script.ts";
import { pluginArguments, registry } from "../plugins.ts";
import { emit } from "../ui.ts";
import { showStatus } from "./status.ts";

interface Options {
  /** When the command began, by `performance.now()`. */
  readonly begun: number;
  readonly json: boolean;
}

/** Reports the runs of a sweep that are done, and says how all stand. Writes nothing where none is done. */
export async function reportSweep(sweep: Sweep, { begun, json }: Options): Promise<readonly TrialStatus[]> {
  const trials = await statusOf(sweep, trialsOf(sweep), trainRunOf(registry()));
  const done = trials.flatMap(({ runs }) => runs.filter(({ state }) => state === "done"));
  if (done.length === 0) return trials;
  const measure = measureOf(sweep.definition.measure);
  const { runs, leftOut } = findRuns(done.map(({ path }) => path));
  const report = await writeRuns(runs, join(sweep.out, "report"), {
    facts: [["sweep", sweep.definition.name]],
    tables: trials.some(isComplete) ? [trialsTable(trials, measure)] : [],
    missing: [...leftOut, ...missingOf(sweep, trials)],
  });
  showStatus(sweep, measure, trials, json);
  const seconds = (performance.now() - begun) / 1000;
  if (json) emit({ event: "report", out: sweep.out, ...report, seconds });
  else console.log(`\n${report.html}: ${done.length} runs; ${duration(seconds)} in all`);
  return trials;
}

/** Runs that are not done, why, and the command that makes them. What a search stopped early is not missing. */
function missingOf({ out, definition }: Sweep, trials: readonly TrialStatus[]): string[] {
  const left = trials
    .flatMap(({ runs }) => runs)
    .filter(({ state }) => state !== "done" && (isFixed(definition) || state !== "stopped"));
  if (left.length === 0) return [];
  const command = ["eigensam", "sweep", "run", out, ...pluginArguments()].map(shellWord).join(" ");
  return [
    `${left.length} ${left.length === 1 ? "run" : "runs"}, made by ${command}`,
    ...left.map(({ name, state, error }) => `${name}: ${state}${error === undefined ? "" : `: ${error}`}`),
  ];
}
