import { setImmediate as turn } from "node:timers/promises";
import { average, finalWeights } from "./average.ts";
import { BEGINNING } from "./checkpoint.ts";
import { epochTimer } from "./epoch-timer.ts";
import type { EventListener } from "./events.ts";
import { assertFinite, explained } from "./failure.ts";
import { isOver, overMessage } from "./early.ts";
import { TrainingError } from "../util/errors.ts";
import { notesOf } from "./notes.ts";
import type { ComingStep } from "./probe.ts";
import { plateauWatch } from "./plateau.ts";
import type { Progress, RunResult, Tally } from "./records.ts";
import { endEpoch, finalTest, validate } from "./scoring.ts";
import { numbersOf, openSession, type Problem, type Session, startOf } from "./session.ts";
import { assertSound } from "./sound.ts";
import type { RunStore, Standing } from "./store.ts";
import { wasteOf, withEstimate, withSeconds, withStep } from "./tally.ts";

export interface TrainArgs {
  readonly problem: Problem;
  /** Where to begin; left out, at the beginning. */
  readonly standing?: Standing | undefined;
  /** Opens where the run leaves what it makes. */
  readonly open: (from: Progress) => RunStore;
  readonly listen: EventListener;
  /** Asks to stop after the step at hand. */
  readonly stop: AbortSignal;
}

/** What a run ended with; "stopped" when asked to, with everything saved. */
export type TrainOutcome = {
  readonly state: Session["state"];
  /** Scores of the last complete epoch. */
  readonly last: Progress["last"];
} & (
  | { readonly status: "done"; readonly result: RunResult }
  | { readonly status: "stopped"; readonly step: number; readonly checkpoint: string | undefined }
);

/** What the parts of the loop share. */
interface Context extends Session, Pick<TrainArgs, "listen" | "stop"> {
  readonly store: RunStore;
}

/** Trains to the end, or until asked to stop. A failure leaves the newest checkpoint and says where it is. */
export async function trainLoop({ problem, standing, open, ...rest }: TrainArgs): Promise<TrainOutcome> {
  const { config, model, dataset } = problem;
  const begin = standing?.progress ?? BEGINNING;
  const { state, notes } = standing === undefined ? startOf(problem) : { ...standing, notes: [] };
  const session = await openSession(problem, { state, from: { epoch: begin.epoch, step: begin.stepInEpoch } });
  try {
    const store = open(begin);
    const { run } = store;
    try {
      store.record({ status: "running" });
      rest.listen({
        event: "start",
        run,
        config,
        parameters: model.parameters.size,
        ...(dataset.targets.kind === "labels" ? { classes: dataset.targets.classes } : {}),
        notes: [...notesOf(problem), ...notes, ...session.notes],
        stepsPerEpoch: session.stepsPerEpoch,
        step: begin.step,
      });
      const outcome = await steps({ ...session, ...rest, store }, begin);
      store.record({ status: outcome.status, ...(outcome.status === "done" ? { result: outcome.result } : {}) });
      if (outcome.status === "done") rest.listen({ event: "done", run, ...outcome.result });
      return outcome;
    } catch (error) {
      const failure = explained(error, state.step, store.checkpoint(), run);
      // A full disk would fail this as well, and its message is worth more.
      if (failure.kind !== "files") store.record({ status: "failed", error: failure.error.message });
      throw failure.error;
    } finally {
      store.close();
    }
  } finally {
    await session.release();
  }
}

/** The loop itself: batch, estimate of v where one is due, step, and at the end of an epoch its scores. */
async function steps(context: Context, begin: Progress): Promise<TrainOutcome> {
  const { config, state, batch, stepper, batches, store, stepsPerEpoch, listen, stop } = context;
  const { epochs, checkpointEvery, validateEvery, patience } = config.train;
  const total = epochs * stepsPerEpoch;
  const plateau = plateauWatch(context);
  let progress = begin;
  let timer = epochTimer();
  const shown = context.metrics.filter((metric) => metric.progress);
  const extraOf = (metrics: Readonly<Record<string, number>>) =>
    Object.fromEntries(
      shown.flatMap(({ name, symbol }) => (metrics[name] === undefined ? [] : [[symbol, metrics[name]]])),
    );
  /** Steps of the newest checkpoint. */
  let saved = begin.step;
  const save = () => {
    store.save(state, progress);
    saved = progress.step;
  };
  const count = (add: (tally: Tally) => Tally) => {
    if (progress.tally) progress = { ...progress, tally: add(progress.tally) };
  };
  const warn = (warning: { readonly step: number; readonly epoch: number; readonly message: string }) => {
    store.metrics({ kind: "warning", ...warning });
    listen({ event: "warning", ...warning });
  };
  if (begin === BEGINNING) save();
  const stopped = () =>
    ({
      status: "stopped",
      state,
      last: progress.last,
      step: progress.step,
      checkpoint: store.checkpoint(),
    }) as const;
  const stoppedHere = () => {
    save();
    return stopped();
  };
  if (stop.aborted) return stoppedHere();

  const ended = () => progress.step >= total || isOver(progress, patience);
  while (!ended()) {
    const [step, epoch, stepInEpoch] = [progress.step, progress.epoch + 1, progress.stepInEpoch];
    const asked = performance.now();
    const examples = await batches.next();
    if (examples === undefined)
      throw new TrainingError(`the batches ended before step ${step} of ${total}`, { step, total });
    const waited = performance.now() - asked;
    count((tally) => withSeconds(tally, "data", waited / 1000));
    const refreshes = stepper.refreshDue(state, stepInEpoch);
    if (refreshes) {
      const start = performance.now();
      const refresh = await stepper.refresh(state, examples);
      assertFinite(refresh.eigenvalue, "the top eigenvalue", step, epoch);
      const seconds = (performance.now() - start) / 1000;
      store.metrics({ kind: "refresh", step, epoch, ...refresh });
      store.timings({ kind: "refresh", step, seconds });
      count((tally) => withEstimate(tally, refresh, seconds));
      listen({ event: "refresh", step, epoch, ...refresh, seconds });
      // A wish to stop that came meanwhile is heard now; the estimate is made again, as it would be after a kill.
      await turn();
      if (stop.aborted && saved === step) return stopped();
    }
    const numbers = numbersOf(config, step, stepsPerEpoch);
    const { lr } = numbers;
    // A look that is stopped is taken again, and so is what came before it in this step: an estimate of v that no checkpoint has
    // must not be made twice.
    const leaves = !refreshes || saved === step;
    const looked = await look(context, step, total, epoch, {
      stop: leaves ? stop : undefined,
      coming: { stepper, batch: examples, numbers },
    });
    if (looked === undefined) return refreshes ? stopped() : stoppedHere();
    count((tally) => withSeconds(tally, "probe", looked));

    const start = performance.now();
    const taken = await stepper.step(state, examples, numbers);
    const { loss, correct, metrics } = taken;
    assertFinite(loss, "the loss", step, epoch);
    store.metrics({ kind: "step", step, epoch, lr, loss, ...metrics });
    if (config.train.ema !== undefined) average(state, config.train.ema);
    const spent = performance.now() - start;
    timer.add(waited, spent);
    count((tally) => withStep(tally, taken, spent / 1000));
    const { sums } = progress;
    const next = {
      loss: sums.loss + loss,
      correct: sums.correct + (correct ?? 0),
      images: sums.images + batch,
    };
    progress = { ...progress, step: step + 1, stepInEpoch: stepInEpoch + 1, sums: next };
    const means = {
      loss: next.loss / (stepInEpoch + 1),
      ...(correct === undefined ? {} : { accuracy: next.correct / next.images }),
    };
    listen({
      event: "step",
      step,
      epoch,
      stepInEpoch,
      lr,
      ...means,
      metrics,
      extra: extraOf(metrics),
      ...timer.rate(batch),
    });
    const message = plateau({ step: step + 1, stepInEpoch: stepInEpoch + 1, stepsPerEpoch, loss: means.loss });
    if (message !== undefined) warn({ step: step + 1, epoch, message });

    if (progress.stepInEpoch === stepsPerEpoch) {
      const timing = timer.summary(batch);
      const { progress: begun, scores } = await endEpoch(context, progress, examples);
      progress = begun;
      store.timings({ kind: "epoch", epoch, ...timing });
      listen({ event: "epoch", epoch, step: progress.step, ...scores, best: progress.best, ...timing });
      if (progress.step < total && isOver(progress, patience))
        warn({ step: progress.step, epoch, message: overMessage(progress, patience) });
      save();
      timer = epochTimer();
    } else {
      if (validateEvery !== undefined && progress.step % validateEvery === 0)
        progress = await validate(context, progress);
      if (checkpointEvery > 0 && progress.step % checkpointEvery === 0) {
        await assertSound(context, examples, step, epoch);
        save();
      }
    }

    // A run of the graph blocks this thread; signals and the worker's messages come in here.
    await turn();
    if (stop.aborted && !ended()) {
      await assertSound(context, examples, step, epoch);
      return stoppedHere();
    }
  }

  const looked = await look(context, progress.step, progress.step, progress.epoch, { stop });
  if (looked === undefined) return stopped();
  count((tally) => withSeconds(tally, "probe", looked));
  const { test, ...classes } = await finalTest(context, progress);
  store.metrics({ kind: "done", test });
  store.keep("last", finalWeights(state));
  const { tally } = progress;
  for (const message of tally ? wasteOf(tally, config, context.method.needs.v === true) : [])
    listen({ event: "warning", step: progress.step, epoch: progress.epoch, message });
  return {
    status: "done",
    state,
    last: progress.last,
    result: {
      epochs: progress.epoch,
      ...progress.last!,
      test,
      ...classes,
      seconds: store.seconds(),
      ...(tally ? { tally } : {}),
    },
  };
}

/** The probe's look at the state, where one is due, and the seconds that it took; undefined where it was stopped, and left no trace. */
async function look(
  { probe, state, store, listen }: Context,
  step: number,
  total: number,
  epoch: number,
  { stop, coming }: { readonly stop: AbortSignal | undefined; readonly coming?: ComingStep },
): Promise<number | undefined> {
  if (!probe?.due(step, total)) return 0;
  const start = performance.now();
  const found = await probe.look(state, { stop, coming }).catch((error: unknown) => {
    if (!stop?.aborted || error !== stop.reason) throw error;
  });
  if (!found) return undefined;
  const seconds = (performance.now() - start) / 1000;
  store.metrics({ kind: "probe", step, epoch, ...found });
  store.timings({ kind: "probe", step, seconds });
  listen({ event: "probe", step, epoch, ...found, seconds });
  return seconds;
}
