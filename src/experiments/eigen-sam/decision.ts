import { type Summary, summarize } from "../../util/statistics.ts";
import type { StudyRecord } from "../study/record.ts";
import type { StudyRun } from "../study/run.ts";
import { directionOf, type TestResult } from "./analysis.ts";
import { costOf, qualityOf } from "./endpoints.ts";
import { type ArmName, armNames } from "./plan.ts";

/** One arm on one network, over the seeds there are. */
export interface ArmRow {
  readonly network: string;
  readonly arm: ArmName;
  readonly runs: number;
  /** Undefined for SAM, which has no v̂. */
  readonly quality: Summary | undefined;
  /** Gradients of estimates over those of steps. */
  readonly cost: number;
  /** Part of the steps that perturbed along v̂. */
  readonly alongV: number;
  /** λ₁ and loss at the end, on the probe's images. */
  readonly eigenvalue: Summary;
  readonly loss: Summary;
  readonly testAccuracy: Summary;
  /** Time in estimates over time in steps. */
  readonly time: number;
}

/** A row per network and arm; runs that diverged are left out. */
export function rowsOf(records: readonly StudyRecord[], planned: readonly StudyRun[]): ArmRow[] {
  const networks = [...new Set(planned.map(({ network }) => network))];
  return networks.flatMap((network) =>
    armNames.flatMap((arm) => {
      const runs = records.filter((run) => run.network === network && run.arm === arm && run.status === "done");
      if (runs.length === 0) return [];
      const over = (value: (run: StudyRecord) => number) => summarize(runs.map(value));
      const qualities = runs.flatMap((run) => qualityOf(run) ?? []);
      return [
        {
          ...{ network, arm, runs: runs.length },
          quality: qualities.length === 0 ? undefined : summarize(qualities),
          cost: over(costOf).mean,
          alongV: over(({ stepsAlongV, steps }) => stepsAlongV / steps).mean,
          eigenvalue: over(({ probes }) => probes.at(-1)!.eigenvalue),
          loss: over(({ probes }) => probes.at(-1)!.loss),
          testAccuracy: over(({ test }) => test?.accuracy ?? Number.NaN),
          time: over(({ seconds }) => seconds.estimates / seconds.steps).mean,
        },
      ];
    }),
  );
}

/** What the registered rules make of the tests. */
export interface Decision {
  /** Networks on which the oracle's v lowers λ₁ below SAM's and the placebo's. */
  readonly flatter: readonly string[];
  /** The default solver. */
  readonly solver: Solver;
  /** The number of the rule that chose it. */
  readonly rule: 2 | 3 | 4;
}

const solvers = ["power", "spread", "free"] as const;
type Solver = (typeof solvers)[number];

const GOOD = 0.8;
const CHEAP = 0.1;

/** Applies the rules of docs/notes/eigen-sam-study.md, "What each outcome decides". */
export function decide(tests: readonly TestResult[], rows: readonly ArmRow[]): Decision {
  const networks = [...new Set(rows.map(({ network }) => network))];
  const found = (minuend: ArmName, subtrahend: ArmName) =>
    tests.filter((test) => test.minuend === minuend && test.subtrahend === subtrahend);
  const flatter = networks.filter((network) =>
    tests.filter((test) => test.family === "A" && test.network === network).every((test) => directionOf(test) < 0),
  );
  const everywhere = (arm: ArmName, holds: (row: ArmRow) => boolean) =>
    networks.every((network) => rows.some((row) => row.network === network && row.arm === arm && holds(row)));
  const mean = (arm: ArmName, value: (row: ArmRow) => number) =>
    summarize(rows.filter((row) => row.arm === arm).map(value)).mean;
  const quality = ({ quality: found }: ArmRow) => found?.mean ?? Number.NEGATIVE_INFINITY;

  const left = solvers.filter((solver) => found(solver, "sam").every((test) => directionOf(test) <= 0));
  const cheap = left.filter((solver) => everywhere(solver, ({ cost }) => cost <= CHEAP));
  const good = cheap
    .filter((solver) => everywhere(solver, (row) => quality(row) >= GOOD))
    .sort((a, b) => mean(a, ({ cost }) => cost) - mean(b, ({ cost }) => cost));
  if (good[0] !== undefined) return { flatter, solver: good[0], rule: 2 };
  const better = cheap
    .filter((solver) => {
      const directions = found(solver, "power").map(directionOf);
      return directions.includes(1) && !directions.includes(-1);
    })
    .sort((a, b) => mean(b, quality) - mean(a, quality));
  return better[0] === undefined ? { flatter, solver: "power", rule: 4 } : { flatter, solver: better[0], rule: 3 };
}
