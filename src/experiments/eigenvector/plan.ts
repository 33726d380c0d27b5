import { type SolverName, solverNames } from "../../optim/eigenvector.ts";
import { checkConfig } from "../../train/settings.ts";
import { rng } from "../../util/rng.ts";
import type { StudyRun } from "../study/run.ts";

/** A network as the study trains it. */
export interface StudyNetwork {
  /** As tables and figures call it. */
  readonly label: string;
  readonly model: { readonly name: string; readonly width: number };
  readonly batch: number;
  readonly rho: number;
}

const cnn: StudyNetwork = { label: "cnn6", model: { name: "cnn6", width: 8 }, batch: 128, rho: 0.05 };
const resnet: StudyNetwork = { label: "resnet18", model: { name: "resnet18", width: 4 }, batch: 128, rho: 0.1 };

interface StudyScale {
  readonly networks: readonly StudyNetwork[];
  readonly seeds: readonly number[];
  readonly epochs: number;
  /** Times at which v is judged. */
  readonly moments: number;
  /** Images of the Hessian that judges it. */
  readonly images: number;
  /** Training images, those for validation included; all if left out. */
  readonly examples?: number;
}

export const studyScales = {
  smoke: {
    networks: [{ ...cnn, model: { name: "cnn6", width: 4 }, batch: 64 }],
    seeds: [1, 2],
    epochs: 2,
    moments: 2,
    images: 128,
    examples: 500,
  },
  laptop: { networks: [cnn, resnet], seeds: [1, 2, 3, 4, 5], epochs: 5, moments: 5, images: 512 },
  full: {
    networks: [
      cnn,
      resnet,
      { ...cnn, label: "cnn6, batch 32", batch: 32 },
      { ...resnet, label: "resnet18, width 16", model: { name: "resnet18", width: 16 } },
    ],
    seeds: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    epochs: 10,
    moments: 12,
    images: 1536,
  },
} as const satisfies Readonly<Record<string, StudyScale>>;

export type StudyScaleName = keyof typeof studyScales;

interface Contender {
  readonly label: string;
  readonly solver: SolverName;
  readonly follow?: number;
}

/** Every solver as it is by default, and `free` at half and twice its rate. */
const contenders: readonly Contender[] = [
  ...solverNames.map((solver) => ({ label: solver, solver })),
  ...[0.05, 0.2].map((follow) => ({ label: `free, rate ${follow}`, solver: "free" as const, follow })),
];

/** Eigen-SAM with every solver on every network and seed; solvers of one seed start from the same weights and see the same batches. */
export function studyRuns(scale: StudyScaleName): StudyRun[] {
  const { networks, seeds, epochs, moments, images, examples = IMAGES }: StudyScale = studyScales[scale];
  return seeds.flatMap((seed) =>
    networks.flatMap(({ label, model, batch, rho }) =>
      contenders.map(({ label: contender, solver, follow }) => ({
        name: `${label.replaceAll(/\W+/g, "-")}-${contender.replaceAll(/[^\w.]+/g, "-")}-seed${seed}`,
        network: label,
        arm: contender,
        config: checkConfig({
          seed,
          threads: 1,
          model,
          data: { name: "fashion-mini", batch, ...(examples < IMAGES ? { examples } : {}) },
          method: {
            name: "eigen-sam",
            rho,
            alpha: 0.2,
            solver,
            every: 100,
            iterations: 5,
            ...(follow === undefined ? {} : { follow }),
          },
          optimizer: { lr: 0.1 },
          train: { epochs },
          probe: {
            at: momentsOf(seed, moments, epochs * Math.floor((examples - Math.round(VALIDATION * examples)) / batch)),
            batches: Math.floor(images / batch),
          },
        }),
      })),
    ),
  );
}

/** Training images of fashion-mini, and the part that is kept for validation. */
const [IMAGES, VALIDATION] = [10_000, 0.1];

/** One step in each of `count` equal parts of the training, at random, so that no solver's interval is favoured. */
const momentsOf = (seed: number, count: number, steps: number): number[] => [
  ...new Set(
    Array.from({ length: count }, (_, i) => Math.floor((steps * (i + rng(seed, "moment", i).uniform())) / count)),
  ),
];
