import { atEveryScale, type Experiment, type Scale } from "./experiment.ts";
import { merged } from "../util/merge.ts";
import { estimatesTable, heatMap } from "./sensitivity-figure.ts";
import { mixingTable } from "./sensitivity-table.ts";
import { writeComparison } from "./study/comparison.ts";
import { type Arm, crossed } from "./study/crossed.ts";
import { paperRecipe } from "./study/paper-recipe.ts";

interface SensitivityScale {
  readonly seeds: readonly number[];
  readonly rhos: readonly number[];
  /** α = 0 is SAM. */
  readonly alphas: readonly number[];
  /** Steps between estimates, and products of each. */
  readonly every: readonly number[];
  readonly iterations: readonly number[];
  readonly noise: readonly number[];
  readonly network: string;
  readonly settings: object;
}

const scales: Readonly<Record<Scale, SensitivityScale>> = {
  smoke: {
    seeds: [1, 2],
    rhos: [0.05, 0.1],
    alphas: [0, 0.2],
    every: [10],
    iterations: [1, 5],
    noise: [0, 0.3],
    network: "mlp",
    settings: {
      model: { name: "mlp", width: 16 },
      data: { name: "fashion-mini", examples: 400, crop: 0, flip: false },
      train: { epochs: 2 },
    },
  },
  laptop: {
    seeds: [301, 302, 303, 304, 305],
    rhos: [0.02, 0.05, 0.1, 0.2, 0.4],
    alphas: [0, 0.05, 0.1, 0.2, 0.4],
    every: [10, 100],
    iterations: [1, 5],
    noise: [0, 0.4],
    network: "mlp",
    settings: {
      model: { name: "mlp", width: 128 },
      data: { name: "fashion-mini", examples: 3000, crop: 0, flip: false },
      optimizer: { lr: 0.05 },
      train: { epochs: 20 },
    },
  },
  full: {
    seeds: [1, 2, 3, 4, 5],
    rhos: [0.05, 0.1, 0.2, 0.4],
    alphas: [0, 0.05, 0.1, 0.2, 0.4],
    every: [10, 100, 400],
    iterations: [1, 5, 10],
    noise: [0, 0.4],
    network: "resnet18",
    settings: merged({ model: { name: "resnet18" }, data: { name: "cifar10" } }, paperRecipe),
  },
};

/** The radius and the mixing of the runs that vary k and p. */
const [RHO, ALPHA] = [0.1, 0.2];

function runsOf(name: Scale) {
  const { seeds, rhos, alphas, every, iterations, noise, network, settings } = scales[name];
  const mixing: Arm[] = noise.flatMap((labelNoise) =>
    rhos.flatMap((rho) =>
      alphas.map((alpha) => ({
        arm: `rho ${rho} alpha ${alpha} noise ${labelNoise}`,
        settings: {
          method: alpha === 0 ? { name: "sam", rho } : { name: "eigen-sam", rho, alpha, solver: "free" },
          data: { labelNoise },
        },
      })),
    ),
  );
  const estimates: Arm[] = every.flatMap((k) =>
    iterations.map((p) => ({
      arm: `k ${k} p ${p}`,
      settings: { method: { name: "eigen-sam", solver: "power", rho: RHO, alpha: ALPHA, every: k, iterations: p } },
    })),
  );
  return crossed({
    network,
    seeds,
    arms: [...mixing, ...estimates],
    settings: merged(settings, { data: { validation: 0 } }),
  });
}

/** How much ρ and α matter, with right and with wrong labels, and how often and by how many products v̂ is estimated (power iteration). */
export const experiment: Experiment = {
  plans: atEveryScale(runsOf),
  write: (made) =>
    writeComparison(made, {
      title: "Sensitivity to ρ, α, k and p",
      tables: [mixingTable(made.records), estimatesTable(made.records)],
      figures: scales[made.scale].noise.flatMap((noise) => heatMap(made.records, noise) ?? []),
      only: [],
      results: false,
    }),
};
