import { isSplit } from "../../data/dataset.ts";
import { openSession, type Problem } from "../../train/session.ts";
import type { TrainState } from "../../train/state.ts";
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
  /** Of a run's weights and its two newest checkpoints. */
  readonly diskMiB: number;
  readonly stepSeconds: number;
  /** Of one estimate of v; 0 where there are none. */
  readonly refreshSeconds: number;
  /** Of one look of the probe; 0 where there is none. */
  readonly probeSeconds: number;
  readonly epochSeconds: number;
  readonly totalSeconds: number;
}

/** Measures a few steps of a run. Nothing is written. */
export async function costOf(problem: Problem): Promise<Cost> {
  const { config, train, model, plan } = problem;
  const session = await openSession({ ...problem, config: longEnough(config) });
  const { state, stepper, batches, stepsPerEpoch, probe } = session;
  const { interval } = plan;
  const seconds: number[] = [];
  let [refreshSeconds, probeSeconds] = [0, 0];
  try {
    for (let i = 0; i < STEPS + 1; i++) {
      const examples = (await batches.next())!;
      // The first run of each graph pays for memory, and is not counted.
      if (i < 2 && interval > 0) refreshSeconds = await timed(() => stepper.refresh(state, examples));
      const step = await timed(() => stepper.step(state, examples, { lr: config.optimizer.lr }));
      if (i > 0) seconds.push(step);
    }
    if (probe) {
      // Its first look compiles what it needs.
      await probe.look(state);
      probeSeconds = await timed(() => probe.look(state));
    }
  } finally {
    await session.release();
  }
  const stepSeconds = median(seconds);
  const refreshes = refreshSeconds > 0 ? stepsPerEpoch / interval : 0;
  const epochSeconds = stepSeconds * stepsPerEpoch + refreshes * refreshSeconds;
  const total = stepsPerEpoch * config.train.epochs;
  let looks = 0;
  for (let step = 0; step <= total; step++) if (probe?.due(step, total)) looks++;
  return {
    parameters: model.parameters.size,
    images: isSplit(train) ? train.count : train.stepsPerEpoch * train.batch,
    stepsPerEpoch,
    steps: total,
    diskMiB: diskOf(state) / 2 ** 20,
    memoryMiB: Math.round(process.resourceUsage().maxRSS / 1024),
    stepSeconds,
    refreshSeconds,
    probeSeconds,
    epochSeconds,
    totalSeconds: epochSeconds * config.train.epochs + looks * probeSeconds,
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

/** Bytes of a run that ended: its last and best weights, and two checkpoints with all that training carries along. */
function diskOf({ theta, buffers, slots, method, v, probe }: TrainState): number {
  const bytes = (arrays: readonly Float32Array[]) => arrays.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const weights = bytes([theta, buffers]);
  return 2 * weights + 2 * (weights + bytes([v, ...[slots, method, probe].flatMap(Object.values<Float32Array>)]));
}
