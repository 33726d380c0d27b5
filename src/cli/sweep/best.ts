import { isBetter, type Measure } from "../../sweep/measure.ts";
import type { Results } from "../../sweep/units.ts";
import type { SweepRun } from "../../sweep/trials.ts";
import { summarize } from "../../util/statistics.ts";
import type { Field } from "../progress-line.ts";
import { valueText } from "./status.ts";

/** Follows the best trial of a sweep whose seeds are all done, while its runs end. */
export function bestSoFar(measure: Measure, seeds: number, results: Pick<Results, "final">) {
  const values = new Map<number, Map<string, number>>();
  return {
    add: (run: SweepRun): void => {
      const value = results.final(run);
      if (value === undefined || Number.isNaN(value)) return;
      values.set(run.trial, (values.get(run.trial) ?? new Map()).set(run.id, value));
    },
    note: (): Field[] => {
      const complete = [...values.values()]
        .filter(({ size }) => size === seeds)
        .map((each) => summarize([...each.values()]));
      const [first, ...others] = complete;
      if (first === undefined) return [];
      const best = others.reduce((sofar, each) => (isBetter(measure, each.mean, sofar.mean) ? each : sofar), first);
      return [{ rank: 4, text: `best ${valueText(measure, { summary: best })}` }];
    },
  };
}
