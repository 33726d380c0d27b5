import { isSplit } from "../../data/dataset.ts";
import type { Phase } from "../../optim/phases.ts";
import type { Recomputation } from "../../train/recompute.ts";
import { openSession, type Problem, methodStart } from "../../train/session.ts";
import type { TrainState } from "../../train/state.ts";
import type { Stepper } from "../../train/stepper.ts";
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
  /** On average over the run. */
  readonly stepSeconds: number;
  /** How many steps take each rule, and how long one takes. */
  readonly rules: readonly { readonly rule: Phase; readonly steps: number; readonly seconds: number }[];
  /** Of one estimate of v; 0 where there are none. */
  readonly refreshSeconds: number;
  /** Of one look of the probe; 0 where there is none. */
  readonly probeSeconds: number;
  readonly epochSeconds: number;
  readonly totalSeconds: number;
  /** What steps compute again, where train.memoryLimit is set. */
  readonly recomputation?: Recomputation;
  readonly notes: readonly string[];
}

/** Measures a few steps of a run. Nothing is written. */
export async function costOf(problem: Problem): Promise<Cost> {
  const { config, train, model, plan } = problem;
  const session = await openSession({ ...problem, config: longEnough(config) });
  const { state, stepper, batches, stepsPerEpoch, probe } = session;
  const { interval } = plan;
  const total = stepsPerEpoch * config.train.epochs;
  const start = methodStart(config, stepsPerEpoch);
  const taken = rulesOf(stepper, total);
  const rules: Cost["rules"][number][] = [];
  let [refreshSeconds, probeSeconds] = [0, 0];
  try {
    for (const [rule, { first, steps }] of taken) {
      const seconds: number[] = [];
      for (let i = 0; i < STEPS + 1; i++) {
        const examples = (await batches.next())!;
        state.step = first;
        // The first run of each graph pays for memory, and is not counted.
        if (i < 2 && interval > 0 && rule === "own")
          refreshSeconds = await timed(() => stepper.refresh(state, examples));
        const step = await timed(() => stepper.step(state, examples, { lr: config.optimizer.lr }));
        if (i > 0) seconds.push(step);
      }
      rules.push({ rule, steps, seconds: median(seconds) });
    }
    if (probe) {
      // Its first look compiles what it needs.
      await probe.look(state);
      probeSeconds = await timed(() => probe.look(state));
    }
  } finally {
    await session.release();
  }
  const stepsSeconds = rules.reduce((sum, { steps, seconds }) => sum + steps * seconds, 0);
  const refreshes = refreshSeconds > 0 ? (total - start) / interval : 0;
  const trainSeconds = stepsSeconds + refreshes * refreshSeconds;
  let looks = 0;
  for (let step = 0; step <= total; step++) if (probe?.due(step, total)) looks++;
  return {
    parameters: model.parameters.size,
    images: isSplit(train) ? train.count : train.stepsPerEpoch * train.batch,
    stepsPerEpoch,
    steps: total,
    diskMiB: diskOf(state) / 2 ** 20,
    memoryMiB: Math.round(process.resourceUsage().maxRSS / 1024),
    stepSeconds: stepsSeconds / total,
    rules,
    refreshSeconds,
    probeSeconds,
    epochSeconds: trainSeconds / config.train.epochs,
    totalSeconds: trainSeconds + looks * probeSeconds,
    ...(stepper.recomputation ? { recomputation: stepper.recomputation } : {}),
    notes: session.notes,
  };
}

/** Rules that a run has at most: before its method begins, the method's own, and those between. */
const RULES = 3;

/** Epochs for all the steps that are timed, however short an epoch is. */
const longEnough = (config: Problem["config"]): Problem["config"] => ({
  ...config,
  train: { ...config.train, epochs: Math.max(config.train.epochs, RULES * (STEPS + 1)) },
});

/** The rules of a run of so many steps, each with its first step and how many there are, where v is estimated. */
function rulesOf(stepper: Stepper, total: number): Map<Phase, { readonly first: number; readonly steps: number }> {
  const rules = new Map<Phase, { readonly first: number; readonly steps: number }>();
  const quality = { made: true, failures: 0, at: 0 };
  for (let step = 0; step < total; step++) {
    const rule = stepper.phase({ step, quality });
    const known = rules.get(rule) ?? { first: step, steps: 0 };
    rules.set(rule, { ...known, steps: known.steps + 1 });
  }
  return rules;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

/** Bytes of a run that ended: its last and best weights, and two checkpoints with all that training carries along. */
function diskOf({ theta, buffers, slots, method, v, probe, averaged }: TrainState): number {
  const bytes = (arrays: readonly Float32Array[]) => arrays.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const weights = bytes([theta, buffers]);
  return (
    2 * weights +
    2 *
      (weights +
        bytes([v, ...[slots, method, probe].flatMap(Object.values<Float32Array>)]) +
        bytes(averaged ? [averaged.theta, averaged.buffers] : []))
  );
}
