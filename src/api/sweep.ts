import { stringify } from "smol-toml";
import { writeReport } from "../report/index.ts";
import type { RunsReport } from "../report/paths.ts";
import { claimRun } from "../run/claim.ts";
import type { Point, Value } from "../search/space.ts";
import type { SearchName } from "../sweep/definition.ts";
import { type MeasureName, measureOf } from "../sweep/measure.ts";
import { threadsFor } from "../sweep/plan-file.ts";
import { resultsIn } from "../sweep/results.ts";
import { isComplete, ranked, type RunState, statusOf, type TrialStatus } from "../sweep/status.ts";
import { begin, sweepOfTexts, trialsOf } from "../sweep/sweep.ts";
import { trainUnit } from "../sweep/train-unit.ts";
import { unitsOf } from "../sweep/units.ts";
import type { TrainEvent } from "../train/events.ts";
import { builtIn } from "../train/registry.ts";
import { trainRun } from "../train/run-dir.ts";
import { trainSettings } from "../train/settings.ts";
import { EigensamError } from "../util/errors.ts";
import { merged } from "../util/merge.ts";

/** Numbers from min to max; with `log`, equal ratios count as equal distances. A grid takes `points` of them. */
export interface SweepRange {
  readonly min: number;
  readonly max: number;
  readonly log?: boolean;
  readonly integer?: boolean;
  readonly points?: number;
}

/** Values of settings by dotted key: lists, or ranges. */
export type Varied = Readonly<Record<string, readonly Value[] | SweepRange>>;

/** A sweep, in the words of docs/guide/sweep.md; settings by dotted key or as nested tables. */
export interface SweepOptions {
  readonly name: string;
  /** Settings that all runs have. */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly vary?: Varied;
  /** What varies only where settings have certain values. */
  readonly when?: readonly { readonly if: Readonly<Record<string, Value>>; readonly vary: Varied }[];
  /** Points one by one, in place of `vary`. */
  readonly runs?: readonly Readonly<Record<string, Value>>[];
  /** Replicates: a list, text as "1..5", or how many from 1 (1). */
  readonly seeds?: number | string | readonly number[];
  /** What ranks the trials ("val.accuracy"). */
  readonly measure?: MeasureName;
  /** Threads of ONNX Runtime; left out, one per core. */
  readonly threads?: number;
  readonly search?: {
    readonly by?: SearchName;
    readonly trials?: number;
    readonly seed?: number;
    readonly minEpochs?: number;
    readonly eta?: number;
  };
}

/** Where a sweep goes, how to listen to its runs, and how to stop it. */
export interface SweepHooks {
  /** The folder of the sweep; the same call goes on in it. */
  readonly dir: string;
  /** Called with every event of every run. */
  readonly onEvent?: (event: TrainEvent) => void;
  /** Asks to stop after the step at hand, with everything kept. */
  readonly signal?: AbortSignal;
}

/** A trial: its values, and what its runs came to. */
export interface SweepTrialResult {
  readonly point: Point;
  /** Of the seeds that are done: how many, mean, standard deviation and half of the 95 % interval of the measure. */
  readonly n: number;
  readonly mean: number;
  readonly std: number | undefined;
  readonly ci95: number | undefined;
  readonly runs: readonly {
    readonly dir: string;
    readonly seed: number;
    readonly state: RunState;
    readonly value: number | undefined;
    readonly error: string | undefined;
  }[];
}

/** What the runs of a sweep came to. */
export interface SweepResults {
  /** The trials whose seeds are all done, the best first, and then the others. */
  readonly trials: readonly SweepTrialResult[];
  /** Whether every run that was to be made is done. */
  readonly complete: boolean;
  /** Writes the report of the runs that are done. */
  report(out: string): Promise<RunsReport>;
}

/**
 * Makes the runs of a sweep that are missing, one after the other in this process, and ranks its trials. A run that fails costs
 * itself, and is tried again by the next call. `eigensam sweep run DIR -j N` goes on in the same folder with processes side by side.
 *
 * @throws ConfigError where an option is wrong, the folder holds another sweep, or another process is at work on it
 * @example
 * ```ts
 * const { trials } = await runSweep(
 *   {
 *     name: "rates",
 *     settings: { "model.name": "mlp", "model.width": 4, "data.examples": 500, "train.epochs": 1 },
 *     vary: { "optimizer.lr": [0.1, 0.01] },
 *     seeds: 2,
 *   },
 *   { dir: "runs/rates" },
 * );
 * console.log(trials.map(({ n }) => n)); // [2, 2]
 * ```
 */
export async function runSweep(options: SweepOptions, { dir, onEvent, signal }: SweepHooks): Promise<SweepResults> {
  const { seeds = 1, name, ...rest } = options;
  const listed = typeof seeds === "number" ? Array.from({ length: seeds }, (_, i) => i + 1) : seeds;
  const texts = { name, toml: stringify({ name, ...nested(rest), seeds: listed }) };
  const sweep = begin(sweepOfTexts(texts, dir, trainSettings(builtIn)), threadsFor(1));
  const results = resultsIn(sweep, trainRun);
  const stop = signal ?? new AbortController().signal;
  const claim = await claimRun(dir);
  try {
    const units = unitsOf(sweep, results);
    for (let unit = await units.next(); unit !== undefined && !stop.aborted; unit = await units.next()) {
      const hooks = { listen: onEvent ?? (() => undefined), stop, registry: builtIn };
      // Why it failed is kept in the folder, and in the result.
      const status = await trainUnit(sweep, unit, hooks).then(
        (end) => end.status,
        (error) => {
          if (!(error instanceof EigensamError)) throw error;
          return "failed" as const;
        },
      );
      units.ended(unit, status);
    }
    const trials = await statusOf(sweep, trialsOf(sweep), trainRun);
    const best = ranked(trials, measureOf(sweep.definition.measure));
    const others = trials.filter((trial) => !best.includes(trial));
    const done = trials.flatMap(({ runs }) => runs.filter(({ state }) => state === "done").map(({ path }) => path));
    return {
      trials: [...best, ...others].map(resultOf),
      complete: trials.every(isComplete),
      report: (out) => writeReport(done, out),
    };
  } finally {
    claim.release(true);
  }
}

const resultOf = ({ point, runs, summary }: TrialStatus): SweepTrialResult => ({
  point,
  ...summary,
  runs: runs.map(({ path, config, state, value, error }) => ({ dir: path, seed: config.seed, state, value, error })),
});

/** Dotted keys of settings as nested tables, which a list of settings may mix with them. */
const nested = ({ settings = {}, ...rest }: Omit<SweepOptions, "name" | "seeds">): Record<string, unknown> => ({
  ...rest,
  settings: Object.entries(settings).reduce<Record<string, unknown>>((table, [key, value]) => {
    const inner = key
      .split(".")
      .reverse()
      .reduce<unknown>((value, part) => ({ [part]: value }), value);
    return merged(table, inner as object) as Record<string, unknown>;
  }, {}),
});
