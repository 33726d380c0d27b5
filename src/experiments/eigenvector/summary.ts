import type { StudyResult } from "./run.ts";

/** A mean with the half-width of its 95 % confidence interval (Student's t); none with one value. */
export interface Interval {
  readonly mean: number;
  readonly half: number | undefined;
  readonly n: number;
}

/** One solver on one network, over seeds. */
export interface SolverRow {
  readonly network: string;
  readonly solver: string;
  /** Mean over a run's moments of vᵀH̄v/λ₁(H̄). */
  readonly ratio: Interval;
  /** The same less that of `power` with the same seed. */
  readonly gain: Interval;
  /** Mean cos² with the top eigenvectors. */
  readonly subspace: Interval;
  /** λ₁(H̄) at the last moment. */
  readonly eigenvalue: Interval;
  readonly testAccuracy: Interval;
  readonly trainLoss: Interval;
  /** Hessian-vector products per 100 steps. */
  readonly products: number;
  /** Time in estimates over time in steps, median over seeds. */
  readonly overhead: number;
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** All solvers of every network, and of all networks together where there are several ("all"). */
export function summarizeStudy(
  results: readonly StudyResult[],
  intervalOf: (values: readonly number[]) => Interval,
): SolverRow[] {
  const networks = [...new Set(results.map(({ network }) => network))];
  const solvers = [...new Set(results.map(({ solver }) => solver))];
  const ratioOf = ({ moments }: StudyResult) => mean(moments.map(({ ratio }) => ratio));
  const rowOf = (network: string, runs: readonly StudyResult[], solver: string): SolverRow => {
    const own = runs.filter((run) => run.solver === solver);
    const over = (value: (run: StudyResult) => number) => intervalOf(own.map(value));
    const gains = own.flatMap((run) => {
      const rival = runs.find((r) => r.solver === "power" && r.seed === run.seed && r.network === run.network);
      return rival ? [ratioOf(run) - ratioOf(rival)] : [];
    });
    const overheads = own.map(({ overhead }) => overhead).sort((a, b) => a - b);
    return {
      network,
      solver,
      ratio: over(ratioOf),
      gain: intervalOf(gains),
      subspace: over(({ moments }) => mean(moments.map(({ subspace }) => subspace))),
      eigenvalue: over(({ moments }) => moments.at(-1)!.eigenvalue),
      testAccuracy: over(({ testAccuracy }) => testAccuracy),
      trainLoss: over(({ trainLoss }) => trainLoss),
      products: mean(own.map(({ products, steps }) => (100 * products) / steps)),
      overhead: overheads[overheads.length >> 1]!,
    };
  };
  const groups = [
    ...networks.map((network) => [network, results.filter((run) => run.network === network)] as const),
    ...(networks.length > 1 ? [["all", results] as const] : []),
  ];
  return groups.flatMap(([network, runs]) =>
    solvers.filter((s) => runs.some((run) => run.solver === s)).map((solver) => rowOf(network, runs, solver)),
  );
}
