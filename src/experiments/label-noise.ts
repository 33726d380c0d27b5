import { atEveryScale, type Experiment, type Scale } from "./experiment.ts";
import { byNoise } from "./label-noise-figure.ts";
import { writeComparison } from "./study/comparison.ts";
import { type Arm, crossed } from "./study/crossed.ts";

interface LabelNoiseScale {
  readonly seeds: readonly number[];
  readonly noise: readonly number[];
  readonly epochs: number;
  readonly width: number;
  readonly examples: number;
}

/** The regime of docs/notes/demo.md, in which a small network fits few images. */
const scales: Readonly<Record<Scale, LabelNoiseScale>> = {
  smoke: { seeds: [1, 2], noise: [0, 0.3], epochs: 3, width: 16, examples: 500 },
  laptop: {
    seeds: [301, 302, 303, 304, 305, 306, 307, 308],
    noise: [0, 0.2, 0.4, 0.6],
    epochs: 40,
    width: 128,
    examples: 3000,
  },
  full: {
    seeds: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    noise: [0, 0.2, 0.4, 0.6, 0.8],
    epochs: 100,
    width: 512,
    examples: 0,
  },
};

const methods = [
  { name: "sgd" },
  { name: "sam", rho: 0.1 },
  { name: "eigen-sam", rho: 0.1, alpha: 0.2 },
  { name: "eigen-sam", rho: 0.1, alpha: 0.2, solver: "random" },
] as const;

const titleOf = (method: (typeof methods)[number]): string => ("solver" in method ? "placebo" : method.name);

function runsOf(scale: Scale) {
  const { seeds, noise, epochs, width, examples } = scales[scale];
  const arms: Arm[] = noise.flatMap((labelNoise) =>
    methods.map((method) => ({
      arm: `${titleOf(method)} noise ${labelNoise}`,
      settings: { method, data: { labelNoise } },
    })),
  );
  const settings = {
    model: { name: "mlp", width },
    data: { name: scale === "full" ? "fashion-mnist" : "fashion-mini", examples, validation: 0, crop: 0, flip: false },
    optimizer: { lr: 0.05 },
    train: { epochs, testEvery: Math.max(1, Math.floor(epochs / 10)) },
  };
  return crossed({ network: "mlp", seeds, arms, settings });
}

/** Sharpness-aware training where a part of the training labels is wrong, and is fitted in the end (Foret et al. 2021, section 3.3). */
export const experiment: Experiment = {
  plans: atEveryScale(runsOf),
  write: (made) =>
    writeComparison(made, {
      title: "Wrong training labels",
      only: [],
      figures: byNoise(made.records),
    }),
};
