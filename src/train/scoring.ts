import type { Batch, Split } from "../data/dataset.ts";
import { finalWeights } from "./average.ts";
import { BEGINNING } from "./checkpoint.ts";
import type { EventListener } from "./events.ts";
import { assertFinite } from "./failure.ts";
import type { Progress, Score } from "./records.ts";
import type { Session } from "./session.ts";
import { assertFiniteState, assertSound } from "./sound.ts";
import type { RunStore } from "./store.ts";

/** What is scored, and where its scores go. */
interface Scoring extends Session {
  readonly store: RunStore;
  readonly listen: EventListener;
}

/**
 * Scores of an epoch, the best weights so far, and the progress from which the next epoch begins. Where the last step diverged,
 * it throws before anything is scored as best or saved.
 */
export async function endEpoch(context: Scoring, progress: Progress, examples: Batch) {
  const { config, dataset, state, task, val, store, stepsPerEpoch } = context;
  const epoch = progress.epoch + 1;
  const { sums, step } = progress;
  const train: Score = {
    loss: sums.loss / stepsPerEpoch,
    ...(task.loss.correct ? { accuracy: sums.correct / sums.images } : {}),
  };
  if (val) assertFiniteState(state, step - 1, epoch);
  else await assertSound(context, examples, step - 1, epoch);
  const validated = val ? await scored("validation", context, val, progress) : null;
  const { testEvery } = config.train;
  const tested =
    testEvery > 0 && epoch % testEvery === 0 && dataset.test
      ? { test: await scored("test", context, dataset.test, progress) }
      : {};
  store.metrics({ kind: "epoch", epoch, step, train, val: validated, ...tested });
  const best = bestOf(context, validated, progress);
  return {
    progress: { ...progress, epoch, stepInEpoch: 0, sums: BEGINNING.sums, last: { train, val: validated }, best },
    scores: { train, val: validated, ...tested },
  };
}

/** Scores of the validation examples inside an epoch, and the progress with the best weights so far. */
export async function validate(context: Scoring, progress: Progress): Promise<Progress> {
  const { state, val, store, listen } = context;
  if (!val) return progress;
  const [step, epoch] = [progress.step, progress.epoch + 1];
  assertFiniteState(state, step - 1, epoch);
  const validated = await scored("validation", context, val, progress);
  store.metrics({ kind: "validation", step, epoch, val: validated });
  const best = bestOf(context, validated, progress);
  listen({ event: "validation", step, epoch, val: validated, best });
  return { ...progress, best };
}

/** The best score so far, whose weights are kept. */
function bestOf({ store, state }: Scoring, validated: Score | null, { best, epoch }: Progress): Progress["best"] {
  if (validated === null || !isBetter(validated, best)) return best;
  store.keep("best", finalWeights(state));
  const { accuracy, loss } = validated;
  return { epoch: epoch + 1, ...(accuracy === undefined ? { loss } : { accuracy }) };
}

/** By accuracy where there are classes, else by loss; of equals the first stays. */
function isBetter({ accuracy, loss }: Score, best: Progress["best"]): boolean {
  if (best === null) return true;
  return accuracy === undefined ? loss < (best.loss ?? Number.POSITIVE_INFINITY) : accuracy > (best.accuracy ?? -1);
}

/** The score of the test examples after the last step, and how their classes were told apart: nothing where there are none. */
export async function finalTest({ dataset, evaluator, state }: Session, { step, epoch }: Progress) {
  if (!dataset.test) return { test: null };
  const { score: test, confusion } = await evaluator.scoreClasses(finalWeights(state), dataset.test);
  assertFinite(test.loss, "the test loss", step - 1, epoch + 1);
  return { test, ...(confusion ? { confusion: confusion.map((row) => row.join(" ")) } : {}) };
}

/** The score of a split after the last step, whose loss must be finite. */
async function scored(name: string, { evaluator, state }: Session, split: Split, { step, epoch }: Progress) {
  const score: Score = await evaluator.score(finalWeights(state), split);
  assertFinite(score.loss, `the ${name} loss`, step - 1, epoch + 1);
  return score;
}
