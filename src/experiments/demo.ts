import type { TrainConfig } from "../train/config.ts";
import { checkConfig } from "../train/settings.ts";

/** One run of an experiment. */
export interface PlannedRun {
  /** Name of its folder. */
  readonly name: string;
  readonly config: TrainConfig;
}

/** The runs of one report. */
export interface DemoSeries {
  /** Name of the folder of its report. */
  readonly report: string;
  readonly title: string;
  readonly runs: readonly PlannedRun[];
}

/** Scales of the main job: the whole one fits eight minutes of two cores, the smoke test half a minute. */
export const demoScales = {
  laptop: { epochs: 40, seeds: [1, 2, 3, 4, 5], width: 128, examples: 3000 },
  smoke: { epochs: 2, seeds: [1, 2], width: 8, examples: 512 },
} as const;

export type DemoScale = keyof typeof demoScales;

/** The part of the training labels that is wrong, in each series. */
const series = [
  { report: "report", title: "clean labels", labelNoise: 0 },
  { report: "report-noise", title: "30 % of the training labels wrong", labelNoise: 0.3 },
] as const;

/** The longest runs come first, so that processes side by side end together. */
const arms = [
  { name: "eigen-sam", method: { name: "eigen-sam" }, passes: 1 },
  { name: "placebo", method: { name: "eigen-sam", solver: "random" }, passes: 1 },
  { name: "sam", method: { name: "sam" }, passes: 1 },
  { name: "sgd-twice", method: { name: "sgd" }, passes: 2 },
  { name: "sgd", method: { name: "sgd" }, passes: 1 },
] as const;

/** Looks of the probe at each run. */
const LOOKS = 8;

/**
 * The main job: SGD, SGD with twice the steps (the time of SAM), SAM, Eigen-SAM and a placebo fit a small network to few images, with clean
 * and with wrong labels. docs/notes/demo.md says why so.
 */
export function demoSeries(scale: DemoScale): DemoSeries[] {
  const { epochs, seeds, width, examples } = demoScales[scale];
  const steps = epochs * Math.floor(examples / BATCH);
  return series.map(({ report, title, labelNoise }) => ({
    report,
    title,
    runs: arms.flatMap(({ name, method, passes }) =>
      seeds.map((seed) => ({
        name: `${name}${labelNoise > 0 ? "-noise" : ""}-seed${seed}`,
        config: checkConfig({
          seed,
          threads: 1,
          model: { name: "mlp", width },
          data: { name: "fashion-mini", batch: BATCH, examples, labelNoise, validation: 0, crop: 0, flip: false },
          method: { rho: 0.1, ...method },
          optimizer: { lr: 0.05 },
          train: { epochs: passes * epochs },
          probe: { every: Math.ceil((passes * steps) / LOOKS), batches: 2, top: 2 },
        }),
      })),
    ),
  }));
}

const BATCH = 128;
