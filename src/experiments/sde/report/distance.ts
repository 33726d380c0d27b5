import { percentileInterval, resamples } from "../../../util/bootstrap.ts";
import { rng } from "../../../util/rng.ts";
import { summarize } from "../../../util/statistics.ts";
import { type PathName, type ProcessName, processOf, replicatesIn } from "../processes.ts";
import { type Quantity, quantityNames, type SdeRun } from "./read.ts";
import { type Gram, gramOf, meanGram, resampledDistance, signedRoot, squaredDistance } from "./squared-distance.ts";

type Interval = readonly [low: number, high: number] | undefined;

/** How far a process is from the reference in one panel, over the measured steps after the first. */
export interface Distance {
  readonly rho: number;
  readonly process: ProcessName;
  readonly quantity: Quantity;
  /** Root of the mean square over time of the difference between means over seeds, chance taken out; below zero, less than chance adds. */
  readonly distance: number;
  /** Its 95 % bootstrap interval over seeds; undefined for fewer than five. */
  readonly interval: Interval;
  /** The same as a part of the root mean square of the reference's own mean. */
  readonly relative: number;
  /** Mean over time of the difference with its sign, over the seeds, which share θ₀ and are compared in pairs. */
  readonly bias: number;
  /** Half of its 95 % confidence interval; null for one seed. */
  readonly biasCi95: number | null;
  readonly seeds: number;
  /** Paths of the reference that its mean is over; of the repetitions, the pairs of them that are compared. */
  readonly references: number;
}

/** Distance of the second order less distance of the third in one panel: above zero the third is closer. */
export interface Advantage {
  readonly rho: number;
  readonly quantity: Quantity;
  readonly difference: number;
  readonly interval: Interval;
  /** The order that is closer, where the interval excludes zero. */
  readonly closer: "second" | "third" | undefined;
}

export interface Comparison {
  readonly distances: readonly Distance[];
  readonly advantages: readonly Advantage[];
}

/** Resamples of the seeds; of so many, the outermost percentiles that are asked for are made by several. */
const DRAWS = 4000;

/**
 * Distances of every process in every panel to all paths of the discrete method, or to those of the exact drift, for runs of one radius. A path that
 * diverged in any seed is left out. Seeds are resampled together for all processes, so that differences are paired.
 */
export function comparison(runs: readonly SdeRun[], reference: "discrete" | "exact" = "discrete"): Comparison {
  const { paths, rho } = runs[0]!;
  const whole = paths.filter((path) => runs.every(({ diverged }) => diverged[path] === undefined));
  const references = reference === "discrete" ? replicatesIn(whole) : whole.filter((path) => path === "exact");
  if (references.length === 0) return { distances: [], advantages: [] };
  const others = whole.filter((path): path is ProcessName => processOf(path).continuous && !references.includes(path));
  const n = runs.length;
  const counts = n > 1 ? resamples(n, DRAWS, rng(1, "sde", "bootstrap")) : [];
  const rootsOf = (gram: Gram) => counts.map((count) => signedRoot(resampledDistance(gram, count)));

  const distances: Distance[] = [];
  const advantages: Advantage[] = [];
  for (const quantity of quantityNames) {
    const of = curvesOf(runs, [...others, ...references], quantity);
    if (of(references[0]!)[0]!.length === 0) continue;
    const center = meanOf(references.map(of));
    const scale = Math.sqrt(meanSquare(meanOf(center.map((seed) => [seed])).flat()));
    const roots = new Map<string, readonly number[]>();
    const add = (process: ProcessName, differences: readonly Rows[], compared: number) => {
      const gram = meanGram(differences.map(gramOf));
      const distance = signedRoot(squaredDistance(gram));
      roots.set(process, rootsOf(gram));
      const { mean, ci95 } = summarize(differences[0]!.map((seed) => summarize(seed).mean));
      distances.push({
        rho,
        process,
        quantity,
        distance,
        interval: percentileInterval(roots.get(process)!, n),
        relative: distance / scale,
        bias: mean,
        biasCi95: ci95 ?? null,
        seeds: n,
        references: compared,
      });
    };
    for (const process of others) add(process, [minus(of(process), center)], references.length);
    const pairs = references.flatMap((a, i) => references.slice(i + 1).map((b) => minus(of(a), of(b))));
    if (pairs.length > 0) add("repeat", pairs, pairs.length);
    const [second, third] = [roots.get("second"), roots.get("third")];
    if (second && third) {
      const at = (name: ProcessName) =>
        distances.find((own) => own.process === name && own.quantity === quantity)!.distance;
      const interval = percentileInterval(
        second.map((value, i) => value - third[i]!),
        n,
      );
      const closer = interval && (interval[0] > 0 ? "third" : interval[1] < 0 ? "second" : undefined);
      advantages.push({ rho, quantity, difference: at("second") - at("third"), interval, closer });
    }
  }
  return { distances, advantages };
}

/** Values over time, a row per seed. */
type Rows = readonly (readonly number[])[];

/** The values of each of these paths at the steps after the first that all of them have in all runs. */
function curvesOf(runs: readonly SdeRun[], paths: readonly PathName[], quantity: Quantity): (path: PathName) => Rows {
  const sets = runs.flatMap((run) => paths.map((path) => new Set(run.curve(path, quantity).map(({ x }) => x))));
  const steps = [...sets[0]!].filter((x) => x > 0 && sets.every((set) => set.has(x)));
  return (path) =>
    runs.map((run) => {
      const at = new Map(run.curve(path, quantity).map(({ x, y }) => [x, y]));
      return steps.map((step) => at.get(step)!);
    });
}

const minus = (a: Rows, b: Rows): Rows => a.map((row, seed) => row.map((value, t) => value - b[seed]![t]!));

const meanOf = (all: readonly Rows[]): Rows =>
  all[0]!.map((row, seed) => row.map((_, t) => all.reduce((sum, rows) => sum + rows[seed]![t]! / all.length, 0)));

const meanSquare = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value ** 2, 0) / values.length;
