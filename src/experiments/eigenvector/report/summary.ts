import { groupBy } from "../../../util/group-by.ts";
import { type Summary, summarize } from "../../../util/statistics.ts";
import type { StudyResult } from "../result.ts";

/** One solver on one network, over seeds; or the mean over networks, again over seeds. */
export interface SolverRow {
  readonly network: string;
  readonly solver: string;
  /** Mean over a run's moments of vᵀH̄v/λ₁(H̄). */
  readonly ratio: Summary;
  /** The same less that of `power` with the same seed. */
  readonly gain: Summary;
  /** Both again, of the moments from `settled` on. */
  readonly lateRatio: Summary;
  readonly lateGain: Summary;
  /** Mean cos² with the top eigenvectors. */
  readonly subspace: Summary;
  /** λ₁(H̄) at the last moment, and less that of `power`. */
  readonly eigenvalue: Summary;
  readonly testAccuracy: Summary;
  readonly accuracyGain: Summary;
  /** Gradients that estimates take per 100 steps: one and two per product of each. */
  readonly gradients: number;
}

/** The row of the mean over networks. */
export const ALL = "all";

const mean = (values: readonly number[]): number => summarize(values).mean;

const ratioFrom =
  (step: number) =>
  ({ moments }: StudyResult): number =>
    mean(moments.filter((moment) => moment.step >= step).map(({ ratio }) => ratio));

/**
 * All solvers of every network, and their mean over networks where there are several: one number per seed, because networks are chosen
 * and seeds are drawn. Gains are differences to `power` of the same network and seed.
 */
export function summarizeStudy(results: readonly StudyResult[], settled: number): SolverRow[] {
  const networks = groupBy(results, ({ network }) => network);
  const solvers = [...new Set(results.map(({ solver }) => solver))];
  const seeds = [...new Set(results.map(({ seed }) => seed))];
  const rowOf = (network: string, own: readonly StudyResult[], solver: string): SolverRow => {
    const perSeed = (value: (run: StudyResult) => number, name = solver) =>
      seeds.map((seed) => mean(own.filter((run) => run.seed === seed && run.solver === name).map(value)));
    // A seed has no late ratio where none of its moments is late.
    const known = (values: readonly number[]) => summarize(values.filter(Number.isFinite));
    const over = (value: (run: StudyResult) => number) => known(perSeed(value));
    const gain = (value: (run: StudyResult) => number) => {
      const rival = perSeed(value, "power");
      return known(perSeed(value).map((x, i) => x - rival[i]!));
    };
    const accuracy = ({ testAccuracy }: StudyResult) => testAccuracy;
    return {
      network,
      solver,
      ratio: over(ratioFrom(0)),
      gain: gain(ratioFrom(0)),
      lateRatio: over(ratioFrom(settled)),
      lateGain: gain(ratioFrom(settled)),
      subspace: over(({ moments }) => mean(moments.map(({ subspace }) => subspace))),
      eigenvalue: over(({ moments }) => moments.at(-1)!.eigenvalue),
      testAccuracy: over(accuracy),
      accuracyGain: gain(accuracy),
      gradients: mean(
        own
          .filter((run) => run.solver === solver)
          .map(({ estimates, products, steps }) => (100 * (estimates + 2 * products)) / steps),
      ),
    };
  };
  const groups = [...networks, ...(networks.size > 1 ? [[ALL, results] as const] : [])];
  return groups.flatMap(([network, runs]) => solvers.map((solver) => rowOf(network, runs, solver)));
}
