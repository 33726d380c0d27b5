import { groupBy } from "../util/group-by.ts";
import { holm, type PairedDifference, pairedDifference } from "../util/statistics.ts";
import type { Group } from "./groups.ts";
import type { Run } from "./read-run.ts";

/** What is compared: a number that every complete run with test examples has. */
export interface Compared {
  readonly name: string;
  /** Name of its CSV columns. */
  readonly key: string;
  /** Head and key of the column that the table of results has of it. */
  readonly head: string;
  readonly column: string;
  readonly unit: string;
  value(run: Run): number | undefined;
  readonly digits: number;
  /** Whether more is better. */
  readonly more: boolean;
}

export const testAccuracy: Compared = {
  name: "test accuracy",
  head: "test accuracy, %",
  key: "testAccuracyPoints",
  column: "testAccuracyPercent",
  unit: " points",
  value: ({ record }) => {
    const fraction = record.result?.test?.accuracy;
    return fraction === undefined ? undefined : 100 * fraction;
  },
  digits: 2,
  more: true,
};

export const testLoss: Compared = {
  name: "test loss",
  head: "test loss",
  key: "testLoss",
  column: "testLoss",
  unit: "",
  value: ({ record }) => record.result?.test?.loss,
  digits: 3,
  more: false,
};

/** Test loss less the training loss of the last epoch. */
export const generalizationGap: Compared = {
  name: "generalization gap",
  head: "generalization gap",
  key: "generalizationGap",
  column: "generalizationGap",
  unit: "",
  value: ({ record: { result } }) => (result?.test ? result.test.loss - result.train.loss : undefined),
  digits: 3,
  more: false,
};

/** Two groups of one task, compared by the runs that have a seed in common. */
export interface Pair {
  readonly minuend: Group;
  readonly subtrahend: Group;
  /** Seeds that both have a complete run of. */
  readonly seeds: readonly number[];
  /** Seeds that only one of them has. */
  readonly alone: readonly number[];
  /** The difference of each measure; undefined where fewer than two seeds pair. */
  readonly differences: readonly (Tested | undefined)[];
}

export interface Tested extends PairedDifference {
  /** Corrected by Holm for all differences of this measure in the report. */
  readonly corrected: number;
}

/** The comparisons of a report. */
export interface Comparison {
  readonly measures: readonly Compared[];
  readonly pairs: readonly Pair[];
}

/** A difference is found where chance would show one as large, in any of the comparisons, at most this often. */
export const LEVEL = 0.05;

/** Above so many groups of one task, all are compared with the first alone. */
const ALL_PAIRS = 5;

/** Compares groups with the same data and model: each with every other, or where there are many with the first of them. */
export function comparisonOf(groups: readonly Group[]): Comparison {
  const runs = groups.flatMap((group) => group.runs);
  const measures = [testAccuracy, testLoss, generalizationGap].filter(({ value }) =>
    runs.some((run) => value(run) !== undefined),
  );
  if (measures.length === 0) return { measures, pairs: [] };
  const tasks = groupBy(groups, taskOf);
  const pairs = [...tasks.values()].flatMap((peers) =>
    peers.flatMap((subtrahend, i) =>
      peers.length > ALL_PAIRS && i > 0
        ? []
        : peers.slice(i + 1).map((minuend) => paired(minuend, subtrahend, measures)),
    ),
  );
  return { measures, pairs: corrected(pairs, measures.length) };
}

type Untested = Omit<Pair, "differences"> & { readonly differences: readonly (PairedDifference | undefined)[] };

function paired(minuend: Group, subtrahend: Group, measures: readonly Compared[]): Untested {
  const bySeed = measures.map(({ value }) =>
    [minuend, subtrahend].map(
      ({ runs }) => new Map(runs.flatMap((run) => finite(value(run)).map((x) => [run.record.config.seed, x] as const))),
    ),
  );
  const [own, other] = bySeed[0]!;
  const all = [...new Set([...own!.keys(), ...other!.keys()])].sort((a, b) => a - b);
  const shared = (seed: number) => bySeed.every((both) => both.every((values) => values.has(seed)));
  const seeds = all.filter(shared);
  return {
    minuend,
    subtrahend,
    seeds,
    alone: all.filter((seed) => !shared(seed)),
    differences: bySeed.map(([a, b]) => pairedDifference(seeds.map((seed) => a!.get(seed)! - b!.get(seed)!))),
  };
}

/** The number, where there is one. */
export const finite = (x: number | undefined): number[] => (x !== undefined && Number.isFinite(x) ? [x] : []);

function corrected(pairs: readonly Untested[], measures: number): Pair[] {
  const tested = Array.from({ length: measures }, (_, measure) => {
    const own = pairs.flatMap(({ differences }) => differences[measure] ?? []);
    const values = holm(own.map(({ p }) => p));
    return new Map(own.map((difference, i) => [difference, values[i]!]));
  });
  return pairs.map((pair) => ({
    ...pair,
    differences: pair.differences.map((d, measure) => d && { ...d, corrected: tested[measure]!.get(d)! }),
  }));
}

/** Accuracies on different test examples, of different models, or after training on other parts of wrong labels, are not compared. */
export const taskOf = ({ runs, settings }: Group): string => {
  const { data, config } = runs[0]!.record;
  // Earlier versions recorded no digest; there the files tell.
  const files = ["data.images", "data.labels", "data.testImages", "data.testLabels"].map((key) => settings.get(key));
  return JSON.stringify([
    data.name,
    data.test,
    config.model.name,
    data.digests?.test ?? files,
    settings.get("data.labelNoise") ?? "0",
  ]);
};

/** Groups whose accuracy (or loss) is found better than that of every other group of their task. */
export function winnersOf(groups: readonly Group[], { measures, pairs }: Comparison): ReadonlySet<Group> {
  const beats = ({ differences: [tested] }: Pair, sign: number) =>
    tested !== undefined && tested.corrected < LEVEL && sign * (measures[0]!.more ? 1 : -1) * tested.mean > 0;
  const winners = groups.filter((group) => {
    const rivals = groups.filter((other) => other !== group && taskOf(other) === taskOf(group));
    return (
      rivals.length > 0 &&
      rivals.every((rival) =>
        pairs.some(
          (pair) =>
            (pair.minuend === group && pair.subtrahend === rival && beats(pair, 1)) ||
            (pair.subtrahend === group && pair.minuend === rival && beats(pair, -1)),
        ),
      )
    );
  });
  return new Set(winners);
}
