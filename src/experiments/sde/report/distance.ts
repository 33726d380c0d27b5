import type { ProcessName } from "../processes.ts";
import { band } from "../../../report/curves.ts";
import { summarize } from "../../../util/statistics.ts";
import { type Quantity, quantityNames, type SdeRun } from "./read.ts";

/** How far a process is from the discrete method in one panel, over the measured steps after the first. */
export interface Distance {
  readonly rho: number;
  readonly process: ProcessName;
  readonly quantity: Quantity;
  /** Mean over time of |mean over seeds of the process − that of the method|, in the units of the panel. */
  readonly distance: number;
  /** The same as a fraction of the mean over time of the method's own |mean|. */
  readonly relative: number;
  /** Mean over time of the difference with its sign, over the seeds, which share θ₀ and are compared in pairs. */
  readonly bias: number;
  /** Half of its 95 % confidence interval; null for one seed. */
  readonly biasCi95: number | null;
  readonly seeds: number;
}

/** The distances of every process in every panel, for runs of one radius; a process that diverged in any seed is left out. */
export function distances(runs: readonly SdeRun[], reference: ProcessName = "discrete"): Distance[] {
  const first = runs[0]!;
  const whole = (name: ProcessName) => runs.every(({ diverged }) => diverged[name] === undefined);
  if (!first.processes.includes(reference) || !whole(reference)) return [];
  return first.processes
    .filter((name) => name !== reference && whole(name))
    .flatMap((process) => quantityNames.map((quantity) => distanceOf(runs, process, reference, quantity)));
}

function distanceOf(
  runs: readonly SdeRun[],
  process: ProcessName,
  reference: ProcessName,
  quantity: Quantity,
): Distance {
  const means = (name: ProcessName) =>
    new Map(band(runs.map((run) => run.curve(name, quantity))).map(({ x, mean }) => [x, mean]));
  const [own, other] = [means(process), means(reference)];
  const steps = [...other.keys()].filter((x) => x > 0 && own.has(x));
  const average = (value: (step: number) => number) => steps.reduce((s, step) => s + value(step), 0) / steps.length;
  const distance = average((step) => Math.abs(own.get(step)! - other.get(step)!));
  const biases = runs.map((run) => {
    const [mine, theirs] = [process, reference].map(
      (name) => new Map(run.curve(name, quantity).map(({ x, y }) => [x, y])),
    );
    return average((step) => mine!.get(step)! - theirs!.get(step)!);
  });
  const { mean, ci95 } = summarize(biases);
  return {
    rho: runs[0]!.rho,
    process,
    quantity,
    distance,
    relative: distance / average((step) => Math.abs(other.get(step)!)),
    bias: mean,
    biasCi95: ci95 ?? null,
    seeds: runs.length,
  };
}
