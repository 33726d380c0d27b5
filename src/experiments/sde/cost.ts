import { median } from "../../util/statistics.ts";
import { createStepper } from "./advance.ts";
import type { SdeRunConfig } from "./config.ts";
import { createMeter } from "./measure.ts";
import type { Problem } from "./problem.ts";
import { pathsOf } from "./processes.ts";
import { initialProcessState } from "./state.ts";

/** How long a run takes, and what it leaves on disk. */
export interface SdeCost {
  /** Of one step of all its paths. */
  readonly stepSeconds: number;
  /** Of one measurement of all its paths. */
  readonly measureSeconds: number;
  readonly totalSeconds: number;
  readonly diskMiB: number;
}

/** Steps that are timed. */
const STEPS = 3;

/** Bytes of a line of metrics. */
const LINE = 300;

/** Measures a few steps and a look of a run. Nothing is written. */
export async function sdeCost(config: SdeRunConfig, problem: Problem): Promise<SdeCost> {
  const { sde, measure, seed } = config;
  const paths = pathsOf(sde);
  const [stepper, meter] = [await createStepper(config, problem), await createMeter(config, problem)];
  try {
    const state = initialProcessState(problem, seed);
    const steps: number[] = [];
    for (let step = 1; step <= STEPS + 1; step++)
      steps.push(
        await timed(async () => {
          for (const path of paths) await stepper.advance(path, state, step);
        }),
      );
    const stepSeconds = median(steps.slice(1));
    // The first of each pays for memory.
    const [look, drift] = [() => meter.measure(state, STEPS), () => stepper.driftErrors(state, STEPS)];
    await look();
    await drift();
    const measureSeconds = paths.length * (await timed(look)) + (await timed(drift));
    const looks = 1 + Math.ceil(sde.steps / measure.every);
    // Two checkpoints, each with θ and v of every path.
    const bytes = 2 * paths.length * (state.theta.byteLength + state.v.byteLength) + looks * (paths.length + 1) * LINE;
    return {
      stepSeconds,
      measureSeconds,
      totalSeconds: sde.steps * stepSeconds + looks * measureSeconds,
      diskMiB: bytes / 2 ** 20,
    };
  } finally {
    await stepper.release();
    await meter.release();
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}
