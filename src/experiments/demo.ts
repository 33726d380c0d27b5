import type { TrainConfig } from "../train/config.ts";
import { checkConfig } from "../train/settings.ts";

/** One run of an experiment. */
export interface PlannedRun {
  /** Name of its folder. */
  readonly name: string;
  readonly config: TrainConfig;
}

/** Scales of the main job: the whole one fits eight minutes of two cores, the smoke test a minute or two. */
export const demoScales = {
  laptop: { epochs: 4, seeds: [1, 2, 3], width: 4 },
  smoke: { epochs: 1, seeds: [1, 2], width: 2 },
} as const;

export type DemoScale = keyof typeof demoScales;

/**
 * The main job: SGD, SAM and Eigen-SAM on fashion-mini with a small ResNet, some seeds each, λ₁ measured for all three. The
 * longest runs come first, so that processes side by side end together.
 */
export function demoRuns(scale: DemoScale): PlannedRun[] {
  const { epochs, seeds, width } = demoScales[scale];
  return (["eigen-sam", "sam", "sgd"] as const).flatMap((method) =>
    seeds.map((seed) => ({
      name: `${method}-seed${seed}`,
      config: checkConfig({
        seed,
        threads: 1,
        model: { name: "resnet18", width },
        data: { name: "fashion-mini", batch: 128 },
        // The paper's own way to v, so that all three are measured against estimates by products on the batch at hand.
        method: { name: method, rho: 0.1, alpha: 0.2, solver: "power", every: EVERY },
        optimizer: { lr: 0.1 },
        train: { epochs },
        probe: { every: EVERY },
      }),
    })),
  );
}

/** Steps between estimates of the eigenvector: two in an epoch of 70 steps. */
const EVERY = 35;
