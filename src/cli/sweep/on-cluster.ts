import { claimRun } from "../../run/claim.ts";
import { begin, type Sweep } from "../../sweep/sweep.ts";
import { isFixed } from "../../sweep/trials.ts";
import { ConfigError } from "../../util/errors.ts";
import { say } from "../ui.ts";

/** What `run` was asked to do on a cluster. */
export interface ClusterArgs {
  /** Runs at a time; left out, as many as the cluster gives. */
  readonly jobs?: number | undefined;
  /** Write the files, and print what to do with them. */
  readonly writeOnly: boolean;
  /** Wait until the cluster has done its work, and report. */
  readonly wait: boolean;
  readonly json: boolean;
}

type Begun = Sweep & { readonly threads: number };

/**
 * Begins a sweep, or takes it up, for a cluster, and does something with it that two processes must not do at once. Its runs have as
 * many threads as cores are asked for.
 * @throws ConfigError where its trials are proposed as results come, because the numbers of a job array are fixed
 */
export async function withBegun<T>(sweep: Sweep, cpus: number | undefined, work: (begun: Begun) => T): Promise<T> {
  const { definition } = sweep;
  const { by } = definition.search;
  if (!isFixed(definition))
    throw new ConfigError(
      `${by} proposes trials as results come, and a job array has its runs fixed`,
      { by },
      "run all of it in one job of the cluster: eigensam sweep run FILE.toml -j N; or choose --search random or grid",
    );
  const begun = begin(sweep, cpus ?? 1);
  const { threads } = begun;
  if (cpus !== undefined && cpus !== threads)
    say(`note: a run has ${cpus} cores and ${threads} ${threads === 1 ? "thread" : "threads"}, as the sweep was begun`);
  const claim = await claimRun(begun.out, { onWait: say });
  try {
    return work(begun);
  } finally {
    claim.release(true);
  }
}
