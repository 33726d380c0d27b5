import { proposers } from "../../search/propose.ts";
import { measureOf } from "../../sweep/measure.ts";
import { threadsFor, withThreads } from "../../sweep/plan-file.ts";
import { fixedTrials, isFixed, trialOf, unreadKeys } from "../../sweep/trials.ts";
import type { Sweep } from "../../sweep/sweep.ts";
import { sayCosts } from "../train/costs.ts";
import { problems } from "../train/problems.ts";
import { say } from "../ui.ts";

/** Prints the runs of a sweep, and what they cost by a few steps of each kind. A search is shown by its first trial. */
export async function showPlan(
  sweep: Sweep,
  { jobs, json }: { readonly jobs: number; readonly json: boolean },
): Promise<void> {
  const { definition } = sweep;
  const { search, seeds, space } = definition;
  const threads = sweep.threads ?? definition.threads ?? threadsFor(jobs);
  const fixed = isFixed(definition);
  const trials = fixed ? fixedTrials(sweep) : [firstTrial()];
  const unread = unreadKeys(sweep, trials);
  if (unread.length > 0) say(`note: no run reads ${unread.join(", ")}`);
  const runs = trials.flatMap((trial) => trial.runs.map((run) => withThreads(run, threads)));
  if (!fixed)
    say(
      `${search.by} proposes ${search.trials} trials of ${seeds.length} seeds each as results come; this is the first`,
    );
  await sayCosts(runs, problems(), { jobs, json, times: fixed ? 1 : search.trials });

  function firstTrial() {
    const { direction } = measureOf(definition.measure);
    const point = proposers.random({ space, seed: search.seed, number: 0, trials: [], direction });
    return trialOf(sweep, 0, point);
  }
}
