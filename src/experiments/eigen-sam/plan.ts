import { checkConfig } from "../../train/settings.ts";
import type { StudyRun } from "../study/run.ts";

/** Settings of a method by the name of its arm. docs/notes/eigen-sam-study.md says why these. */
const arms = {
  // SAM has no v̂: its solver is written down only so that its settings stay the same when the default changes.
  sam: { name: "sam", solver: "free" },
  power: { name: "eigen-sam", alpha: 0.2, solver: "power", every: 100, iterations: 5 },
  spread: { name: "eigen-sam", alpha: 0.2, solver: "spread", every: 100, iterations: 5 },
  free: { name: "eigen-sam", alpha: 0.2, solver: "free", iterations: 5, follow: 0.1 },
  random: { name: "eigen-sam", alpha: 0.2, solver: "random" },
  oracle: { name: "eigen-sam", alpha: 0.2, solver: "oracle", every: 10, batches: 4 },
} as const;

export type ArmName = keyof typeof arms;

export const armNames = Object.keys(arms) as readonly ArmName[];

interface Network {
  readonly label: string;
  readonly model: { readonly name: string; readonly width: number; readonly init?: "he" };
  readonly method: { readonly rho: number; readonly rhoWarmup?: number };
}

const cnn: Network = {
  label: "cnn6",
  model: { name: "cnn6", width: 8, init: "he" },
  method: { rho: 0.05, rhoWarmup: 1 },
};
const resnet: Network = { label: "resnet18", model: { name: "resnet18", width: 4 }, method: { rho: 0.1 } };

interface Plan {
  readonly networks: readonly Network[];
  readonly seeds: readonly number[];
  readonly data: { readonly name: string; readonly batch: number; readonly examples?: number };
  readonly epochs: number;
  /** Steps before which the probe looks; the last is the end. */
  readonly looks: readonly number[];
  /** Steps of an epoch: looks after the first one, but for the end, judge v̂. */
  readonly stepsPerEpoch: number;
}

/** `laptop` is the registered study; `smoke` shows that everything works, with seeds that the study does not use. */
export const plans = {
  smoke: {
    networks: [{ ...cnn, model: { ...cnn.model, width: 4 } }],
    seeds: [1, 2],
    data: { name: "fashion-mini", batch: 60, examples: 600 },
    epochs: 2,
    looks: [5, 15, 20],
    stepsPerEpoch: 10,
  },
  laptop: {
    networks: [cnn, resnet],
    seeds: [201, 202, 203, 204, 205, 206, 207, 208],
    data: { name: "fashion-mnist", batch: 120 },
    epochs: 3,
    looks: [245, 545, 855, 1145, 1455, 1500],
    stepsPerEpoch: 500,
  },
} as const satisfies Readonly<Record<string, Plan>>;

/** Every arm on every network, seed by seed, so that a study that is cut off has complete pairs. */
export function eigenSamRuns(scale: keyof typeof plans): StudyRun[] {
  const { networks, seeds, data, epochs, looks }: Plan = plans[scale];
  return seeds.flatMap((seed) =>
    networks.flatMap(({ label, model, method }) =>
      armNames.map((arm) => ({
        name: `${label}-${arm}-seed${seed}`,
        network: label,
        arm,
        config: checkConfig({
          ...{ seed, threads: 1, model },
          data: { ...data, validation: 0 },
          method: { ...arms[arm], ...method },
          optimizer: { lr: 0.1 },
          train: { epochs },
          probe: { at: [...looks], batches: 4 },
        }),
      })),
    ),
  );
}
