import { type Estimate, isGood, type Judged, type Solver } from "./eigenvector.ts";
import type { Method } from "./method.ts";

/** The settings under `method` that say how v is estimated. */
export interface RefreshSettings {
  /** Steps between estimates, k. */
  readonly every: number;
  /** Hessian-vector products per estimate, p. */
  readonly iterations: number;
  /** The part of v that the secant replaces in every step, for solvers that follow it. */
  readonly follow: number;
  /** The largest residual of an estimate that is used (see `isGood`). */
  readonly trust: number;
  /** What happens before the first regular estimate. */
  readonly warmup: "estimate" | "sam" | "usam";
  /** "official": steps are counted within the epoch, and its first is skipped (paper.md, section 2, item 2). */
  readonly compat: "none" | "official";
}

/** Where a step stands: counted over the whole run and within its epoch, both from 0. */
export interface Position {
  readonly step: number;
  readonly stepInEpoch: number;
}

/** What is known of v. */
export interface Quality {
  /** Whether it was estimated at all. */
  readonly made: boolean;
  /** Estimates in a row, up to the last, that were no good. */
  readonly failures: number;
  /** The step of the last estimate. */
  readonly at: number;
}

export const UNKNOWN: Quality = { made: false, failures: 0, at: 0 };

/** Whether there is an estimate, and the last one was good. */
export const lastGood = ({ made, failures }: Quality): boolean => made && failures === 0;

/** When v is estimated, how, and when it is used. */
export interface RefreshPlan {
  /** Steps between regular estimates; 0 where none follows the first good one. */
  readonly interval: number;
  /** The first estimate, and one after an estimate that was no good; undefined where v is never estimated. */
  readonly first: Estimate | undefined;
  readonly later: Estimate | undefined;
  readonly follow: number;
  /** Whether an estimate is due before the step at this position. */
  due(at: Position, quality: Quality): boolean;
  /** Whether steps perturb along v. Where they do not, Eigen-SAM is SAM. */
  usable(quality: Quality): boolean;
  /** What is known of v after an estimate at a step. */
  judge(found: Judged, estimate: Estimate, step: number, before: Quality): Quality;
}

/**
 * The plan of a method with its solver. An estimate that is no good is made again after 1, 2, 4, … steps, `every` at most, and the
 * steps between perturb without v. compat = "official" uses every estimate, as the authors' code does.
 */
export function refreshPlan({ needs }: Pick<Method, "needs">, solver: Solver, settings: RefreshSettings): RefreshPlan {
  const { every, warmup, compat, trust } = settings;
  const own = needs.v === true;
  const first = own ? solver.first(settings) : undefined;
  const interval = first === undefined ? 0 : solver.interval(settings);
  const official = compat === "official";
  const retryAfter = (failures: number) => Math.min(every, 2 ** (failures - 1));
  return {
    interval,
    first,
    later: solver.later?.(settings) ?? first,
    follow: own && solver.follow ? settings.follow : 0,
    due: ({ step, stepInEpoch }, { made, failures, at }) => {
      if (first === undefined) return false;
      if (official) return stepInEpoch > 0 && stepInEpoch % every === 0;
      if (step === 0) return warmup === "estimate";
      if (interval > 0 && step % interval === 0) return true;
      if (!made) return step % every === 0;
      return failures > 0 && step >= at + retryAfter(failures);
    },
    usable: (quality) => own && (first === undefined || (official ? quality.made : lastGood(quality))),
    judge: (found, estimate, step, { failures }) => ({
      made: true,
      failures: isGood(found, estimate, trust) ? 0 : failures + 1,
      at: step,
    }),
  };
}
