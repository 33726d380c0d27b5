import { setImmediate as turn } from "node:timers/promises";
import type { BatchStream } from "../data/batches.ts";
import type { Dataset, Split } from "../data/dataset.ts";
import { splitValidation } from "../data/split.ts";
import type { Model } from "../nn/scope.ts";
import { scheduleFactor } from "../optim/schedules.ts";
import type { Executable } from "../runtime/compile.ts";
import { runFiles } from "../run/files.ts";
import { writeAtomic } from "../util/files.ts";
import { BEGINNING, NO_SUMS, openRecorder, readCheckpoint, type TrainRecorder } from "./checkpoint.ts";
import type { TrainConfig } from "./config.ts";
import { epochTimer } from "./epoch-timer.ts";
import { evaluate, type Score } from "./evaluate.ts";
import type { EventListener } from "./events.ts";
import { assertFinite, explained } from "./failure.ts";
import { compileEvaluation, optimizerOf } from "./graphs.ts";
import { imageFormat, modelOf } from "./problem.ts";
import type { Progress, RunResult } from "./records.ts";
import { trainRun } from "./run-dir.ts";
import { newRecord } from "./run-record.ts";
import { initialState } from "./state.ts";
import { createTrainer, type Trainer } from "./trainer.ts";
import { trainingBatches } from "./training-batches.ts";
import { encodeWeights } from "./weights.ts";

export interface TrainArgs {
  readonly config: TrainConfig;
  readonly dataset: Dataset;
  /** A run directory with its settings in it. */
  readonly run: string;
  /** Go on from its newest checkpoint. */
  readonly resume: boolean;
  readonly listen: EventListener;
  /** Asks to stop after the step at hand. */
  readonly stop: AbortSignal;
}

/** What a run ended with; "stopped" when asked to, with everything saved. */
export type TrainOutcome =
  | { readonly status: "done"; readonly result: RunResult }
  | { readonly status: "stopped"; readonly step: number; readonly checkpoint: string };

/** What the parts of the loop share. */
interface Context extends TrainArgs {
  readonly model: Model;
  readonly val: Split;
  readonly trainer: Trainer;
  readonly evaluation: Executable;
  readonly batches: BatchStream;
  readonly recorder: TrainRecorder;
  readonly stepsPerEpoch: number;
}

/** Trains to the end, or until asked to stop. A failure leaves the newest checkpoint and says where it is. */
export async function train(args: TrainArgs): Promise<TrainOutcome> {
  const { config, dataset, run, resume, listen } = args;
  const { batch, validation } = config.data;
  const { train: trainSplit, val } = splitValidation(dataset.train, validation, config.seed);
  const format = imageFormat(dataset);
  const model = modelOf(config, format, batch);
  const restored = resume ? readCheckpoint(run, model, optimizerOf(config)) : undefined;
  const state = restored?.state ?? initialState(model, optimizerOf(config), config.seed);
  const begin = restored?.progress ?? BEGINNING;
  const batches = trainingBatches(config, dataset, trainSplit, {
    from: { epoch: begin.epoch, step: begin.stepInEpoch },
    epochs: config.train.epochs,
  });
  const { stepsPerEpoch } = batches;
  const record = newRecord(config, dataset, { train: trainSplit.count, val: val.count }, model);
  try {
    trainRun.writeRecord(run, { ...record, status: "running" });
    const recorder = openRecorder(run, model, begin);
    const trainer = await createTrainer(config, model, format, state);
    const evaluation = await compileEvaluation(config, model, format);
    try {
      listen({ event: "start", run, config, parameters: model.parameters.size, stepsPerEpoch, step: begin.step });
      const context = { ...args, model, val, trainer, evaluation, batches, recorder, stepsPerEpoch };
      const outcome = await steps(context, begin);
      const result = outcome.status === "done" ? { result: outcome.result } : {};
      trainRun.writeRecord(run, { ...record, status: outcome.status, ...result });
      if (outcome.status === "done") listen({ event: "done", run, ...outcome.result });
      return outcome;
    } catch (error) {
      const failure = explained(error, state.step, recorder.checkpoint(), run);
      // A full disk would fail this as well, and its message is worth more.
      if (failure.kind === "numbers")
        trainRun.writeRecord(run, { ...record, status: "failed", error: failure.error.message });
      throw failure.error;
    } finally {
      recorder.close();
      await trainer.release();
      await evaluation.release();
    }
  } finally {
    await batches.close();
  }
}

/** The loop itself: batch, estimate of v where one is due, step, and at the end of an epoch its scores. */
async function steps(context: Context, begin: Progress): Promise<TrainOutcome> {
  const { config, dataset, run, trainer, batches, recorder, stepsPerEpoch, listen, stop } = context;
  const { batch } = config.data;
  const { epochs, checkpointEvery } = config.train;
  const total = epochs * stepsPerEpoch;
  let progress = begin;
  let timer = epochTimer();
  if (recorder.checkpoint() === undefined) recorder.save(trainer.state, progress);

  while (progress.step < total) {
    const [step, epoch, stepInEpoch] = [progress.step, progress.epoch + 1, progress.stepInEpoch];
    const asked = performance.now();
    const images = (await batches.next())!;
    const waited = performance.now() - asked;
    if (trainer.refreshDue({ step, stepInEpoch })) {
      const start = performance.now();
      const refresh = await trainer.refresh(images);
      assertFinite(refresh.eigenvalue, "the top eigenvalue", step, epoch);
      const seconds = (performance.now() - start) / 1000;
      recorder.metrics({ kind: "refresh", step, epoch, ...refresh });
      recorder.timings({ kind: "refresh", step, seconds });
      listen({ event: "refresh", step, epoch, ...refresh, seconds });
    }

    const start = performance.now();
    const lr = learningRate(config, step, stepsPerEpoch);
    const { correct, ...metrics } = await trainer.step(images, lr);
    assertFinite(metrics.loss, "the loss", step, epoch);
    recorder.metrics({ kind: "step", step, epoch, lr, ...metrics });
    timer.add(waited, performance.now() - start);
    const { loss, ...counts } = progress.sums;
    const sums = { loss: loss + metrics.loss, correct: counts.correct + correct, images: counts.images + batch };
    progress = { ...progress, step: step + 1, stepInEpoch: stepInEpoch + 1, sums };
    const means = { loss: sums.loss / (stepInEpoch + 1), accuracy: sums.correct / sums.images };
    listen({ event: "step", step, epoch, stepInEpoch, lr, ...means, ...timer.rate(batch) });

    if (progress.stepInEpoch === stepsPerEpoch) {
      const timing = timer.summary(batch);
      progress = await endEpoch(context, progress);
      recorder.timings({ kind: "epoch", epoch, ...timing });
      listen({ event: "epoch", epoch, step: progress.step, ...progress.last!, best: progress.best, ...timing });
      recorder.save(trainer.state, progress);
      timer = epochTimer();
    } else if (checkpointEvery > 0 && progress.step % checkpointEvery === 0) recorder.save(trainer.state, progress);

    // A run of the graph blocks this thread; signals and the worker's messages come in here.
    await turn();
    if (stop.aborted && progress.step < total) {
      recorder.save(trainer.state, progress);
      return { status: "stopped", step: progress.step, checkpoint: recorder.checkpoint()! };
    }
  }

  const test = await score(context, dataset.test);
  recorder.metrics({ kind: "done", test });
  writeAtomic(runFiles(run).weights, weightsOf(context));
  return { status: "done", result: { epochs, ...progress.last!, test, seconds: recorder.seconds() } };
}

/** Scores of an epoch, the best weights so far, and the progress from which the next epoch begins. */
async function endEpoch(context: Context, progress: Progress): Promise<Progress> {
  const { config, dataset, run, val, recorder, stepsPerEpoch } = context;
  const epoch = progress.epoch + 1;
  const { sums, step } = progress;
  const trained: Score = { loss: sums.loss / stepsPerEpoch, accuracy: sums.correct / sums.images };
  const validated = val.count > 0 ? await score(context, val) : null;
  const { testEvery } = config.train;
  const tested = testEvery > 0 && epoch % testEvery === 0 ? { test: await score(context, dataset.test) } : {};
  recorder.metrics({ kind: "epoch", epoch, step, train: trained, val: validated, ...tested });
  const better = validated !== null && validated.accuracy > (progress.best?.accuracy ?? -1);
  if (better) writeAtomic(runFiles(run).best, weightsOf(context));
  const best = better ? { epoch, accuracy: validated.accuracy } : progress.best;
  return { ...progress, epoch, stepInEpoch: 0, sums: NO_SUMS, last: { train: trained, val: validated }, best };
}

const score = ({ evaluation, trainer, model }: Context, split: Split): Promise<Score> =>
  evaluate(evaluation, trainer.state, split, model.inputShape);

const weightsOf = ({ model, trainer, config }: Context) =>
  encodeWeights(model, trainer.state, { model: config.model.name });

/** η of one step by the schedule. */
export const learningRate = (
  { optimizer, schedule, train: { epochs } }: TrainConfig,
  step: number,
  stepsPerEpoch: number,
) => optimizer.lr * scheduleFactor(schedule.name, { ...schedule, step, stepsPerEpoch, epochs });
