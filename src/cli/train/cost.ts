import { isSplit } from "../../data/dataset.ts";
import { openSession, type Problem } from "../../train/session.ts";
import { median } from "../../util/statistics.ts";

/** Steps that are timed. */
export const STEPS = 5;

/** How large a run is, and how long it takes by the medians of a few real steps. */
export interface Cost {
  readonly parameters: number;
  readonly images: number;
  readonly stepsPerEpoch: number;
  readonly steps: number;
  readonly memoryMiB: number;
  readonly stepSeconds: number;
  /** Of one estimate of v; 0 where there are none. */
  readonly refreshSeconds: number;
  readonly epochSeconds: number;
  readonly totalSeconds: number;
}

/** Measures a few steps of a run. Nothing is written. */
export async function costOf(problem: Problem): Promise<Cost> {
  const { config, train, model, plan } = problem;
  const session = await openSession({ ...problem, config: longEnough(config) });
  const { state, stepper, batches, stepsPerEpoch } = session;
  const { interval } = plan;
  const due = plan.tracked && interval > 0 && plan.due({ step: interval, stepInEpoch: interval }, true);
  const seconds: number[] = [];
  let refreshSeconds = 0;
  try {
    for (let i = 0; i < STEPS + 1; i++) {
      const examples = (await batches.next())!;
      // The first run of each graph pays for memory, and is not counted.
      if (i < 2 && due) refreshSeconds = await timed(() => stepper.refresh(state, examples));
      const step = await timed(() => stepper.step(state, examples, { lr: config.optimizer.lr }));
      if (i > 0) seconds.push(step);
    }
  } finally {
    await session.release();
  }
  const stepSeconds = median(seconds);
  const refreshes = refreshSeconds > 0 ? stepsPerEpoch / interval : 0;
  const epochSeconds = stepSeconds * stepsPerEpoch + refreshes * refreshSeconds;
  return {
    parameters: model.parameters.size,
    images: isSplit(train) ? train.count : train.stepsPerEpoch * train.batch,
    stepsPerEpoch,
    steps: stepsPerEpoch * config.train.epochs,
    memoryMiB: Math.round(process.resourceUsage().maxRSS / 1024),
    stepSeconds,
    refreshSeconds,
    epochSeconds,
    totalSeconds: epochSeconds * config.train.epochs,
  };
}

/** Epochs for all the steps that are timed, however short an epoch is. */
const longEnough = (config: Problem["config"]): Problem["config"] => ({
  ...config,
  train: { ...config.train, epochs: Math.max(config.train.epochs, STEPS + 1) },
});

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}
