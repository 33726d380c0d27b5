import type { Experiment } from "./experiment.ts";

/** What is known of an experiment before it is loaded. */
interface ExperimentEntry {
  /** What it asks, one line of help. */
  readonly about: string;
  readonly load: () => Promise<{ readonly experiment: Experiment }>;
}

/** An experiment whose runs are another command's. */
interface CommandEntry {
  readonly about: string;
  readonly command: "sde";
}

/** The experiments that `eigensam paper` makes; a new one is a file of its own and an entry here. */
export const experiments = {
  alignment: {
    about: "|cos(ε, v₁)| and λ₁ over training: SGD, SAM, Eigen-SAM and a placebo",
    load: () => import("./alignment.ts"),
  },
  accuracy: {
    about: "test accuracy of SGD, SAM and Eigen-SAM, with ρ and α chosen on validation images",
    load: () => import("./accuracy.ts"),
  },
  vit: {
    about:
      "test accuracy of SGD, SAM and Eigen-SAM on vision transformers: ViT-B/16 fine-tuned, or small ones from scratch",
    load: () => import("./vit.ts"),
  },
  reverse: {
    about: "training and test loss of SAM, Reverse-SAM, EGR and the third-order term alone",
    load: () => import("./reverse.ts"),
  },
  sde: {
    about: "discrete SAM beside its stochastic differential equations, as eigensam sde",
    command: "sde",
  },
  sensitivity: {
    about: "how test accuracy depends on ρ and α, and on how often v̂ is estimated",
    load: () => import("./sensitivity.ts"),
  },
  "label-noise": {
    about: "SGD, SAM, Eigen-SAM and a placebo where a part of the training labels is wrong",
    load: () => import("./label-noise.ts"),
  },
  overhead: {
    about: "seconds per step, share of the estimates of v̂, and memory, by method and network",
    load: () => import("./overhead.ts"),
  },
  eigenvector: { about: "which solver keeps v̂ fresh", load: () => import("./eigenvector/index.ts") },
  "eigen-sam": {
    about: "does a good v̂ make Eigen-SAM flatter than SAM (docs/notes/eigen-sam-study.md)",
    load: () => import("./eigen-sam/index.ts"),
  },
} as const satisfies Readonly<Record<string, ExperimentEntry | CommandEntry>>;

export type ExperimentName = keyof typeof experiments;

/** The entry of an experiment. */
export const experimentOf = (name: ExperimentName): ExperimentEntry | CommandEntry => experiments[name];
