import { atEveryScale, type Experiment, type Scale } from "./experiment.ts";
import { writeComparison } from "./study/comparison.ts";
import { type Arm, crossed } from "./study/crossed.ts";
import { paperRecipe } from "./study/paper-recipe.ts";
import { merged } from "../util/merge.ts";

const arms: readonly Arm[] = ["sgd", "sam", "reverse-sam", "egr", "third-order"].map((name) => ({
  arm: name,
  settings: { method: name === "sgd" ? { name } : { name, rho: 0.1 } },
}));

const scales: Readonly<Record<Scale, { readonly seeds: readonly number[]; readonly settings: object }>> = {
  smoke: {
    seeds: [1, 2],
    settings: {
      model: { name: "mlp", width: 16 },
      data: { name: "fashion-mini", examples: 600, crop: 0, flip: false },
      train: { epochs: 4 },
    },
  },
  laptop: {
    seeds: [301, 302, 303, 304, 305],
    settings: {
      model: { name: "mlp", width: 128 },
      data: { name: "fashion-mnist", crop: 0, flip: false },
      train: { epochs: 20 },
    },
  },
  full: {
    seeds: [1, 2, 3, 4, 5],
    settings: merged({ model: { name: "resnet18" }, data: { name: "cifar10" } }, paperRecipe),
  },
};

const runsOf = (scale: Scale) => {
  const { seeds, settings } = scales[scale];
  const tested = { data: { validation: 0 }, train: { testEvery: 1 } };
  const network = scale === "full" ? "resnet18" : "mlp";
  return crossed({ network, seeds, arms, settings: merged(settings, tested) });
};

/** The paper's curves of training and test loss: SAM, Reverse-SAM, EGR (the second-order term alone) and the third-order term alone. */
export const experiment: Experiment = {
  plans: atEveryScale(runsOf),
  write: (made) =>
    writeComparison(made, {
      title: "SAM, its reverse, and its terms alone",
      only: ["train-loss", "test-loss", "test-accuracy"],
    }),
};
