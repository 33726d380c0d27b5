import { claimRun } from "../../run/claim.ts";
import { measureOf } from "../../sweep/measure.ts";
import { threadsFor } from "../../sweep/plan-file.ts";
import { resultsIn } from "../../sweep/results.ts";
import { begin, type Sweep, trialsOf } from "../../sweep/sweep.ts";
import { isFixed } from "../../sweep/trials.ts";
import { type Results, searchUnits, type Unit, runsInOrder } from "../../sweep/units.ts";
import type { TrainEvent } from "../../train/events.ts";
import { trainRunOf } from "../../train/run-dir.ts";
import { registry } from "../plugins.ts";
import type { TaskSource } from "../pool.ts";
import { type PoolOptions, runTasks } from "../run-tasks.ts";
import { resultOf } from "../train/result.ts";
import { say } from "../ui.ts";
import { bestSoFar } from "./best.ts";
import { reportSweep } from "./report.ts";

/** A unit of work as a process of ours. */
interface UnitTask {
  readonly name: string;
  readonly args: readonly string[];
  readonly unit: Unit;
}

type HereOptions = PoolOptions & { readonly json: boolean };

/** Makes the runs of a sweep that are missing, and reports those that are done. */
export async function runHere(asked: Sweep, options: HereOptions): Promise<void> {
  const begun = performance.now();
  const sweep = await makeRuns(asked, options);
  if (sweep !== undefined) await reportSweep(sweep, { begun, json: options.json });
}

/**
 * Makes the runs of a sweep that are missing, in processes of this machine; undefined where it was stopped.
 * @throws ConfigError where another process runs the sweep, or its folder holds another
 */
export async function makeRuns(asked: Sweep, options: HereOptions): Promise<Sweep | undefined> {
  const sweep = begin(asked, threadsFor(options.jobs));
  const { out, definition } = sweep;
  const trainRun = trainRunOf(registry());
  const claim = await claimRun(out, { onWait: say });
  try {
    const measure = measureOf(definition.measure);
    const results = resultsIn(sweep, trainRun);
    const best = bestSoFar(measure, definition.seeds.length, results);
    for (const { runs } of trialsOf(sweep)) runs.forEach(best.add);
    const outcome = await runTasks<UnitTask, TrainEvent>(tasksOf(sweep, results), {
      ...{ options, out, ...countsOf(sweep, results), note: best.note },
      result: (events, { unit }) => {
        best.add(unit.run);
        return resultOf(events);
      },
    });
    return outcome === "stopped" ? undefined : sweep;
  } finally {
    claim.release(true);
  }
}

/** The work there is: what is missing of a plan, or what a search proposes. */
function tasksOf(sweep: Sweep, results: Results): readonly UnitTask[] | TaskSource<UnitTask> {
  const taskOf = (unit: Unit): UnitTask => ({
    name: unit.run.name,
    unit,
    args: [
      ...["sweep", "task", unit.run.name, "--out", sweep.out, "--json"],
      ...(unit.untilEpoch === undefined ? [] : ["--until", String(unit.untilEpoch)]),
    ],
  });
  if (isFixed(sweep.definition))
    return runsInOrder(sweep)
      .filter((run) => results.final(run) === undefined)
      .map((run) => taskOf({ run }));
  const units = searchUnits(sweep, results);
  return {
    next: async () => {
      const unit = await units.next();
      return unit && taskOf(unit);
    },
    ended: ({ unit }, how) => units.ended(unit, how),
  };
}

/** How many runs a sweep has at most, and how many are complete. */
function countsOf(sweep: Sweep, results: Results) {
  const known = runsInOrder(sweep);
  const complete = known.filter((run) => results.final(run) !== undefined).length;
  const { search, seeds } = sweep.definition;
  return { complete, total: isFixed(sweep.definition) ? known.length : search.trials * seeds.length };
}
