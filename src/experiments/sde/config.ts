import { z } from "zod";
import { type DatasetName, datasetNames } from "../../data/index.ts";
import { trainingMethodNames } from "../../optim/methods/index.ts";
import { settingsOf } from "../../run/settings.ts";
import { processNames } from "./processes.ts";

const count = z.int().min(1);
const positive = z.number().positive();
const notNegative = z.number().min(0);

const FILES = datasetNames.filter((name) => name !== "npy") as [DatasetName, ...DatasetName[]];

/** Every setting of the experiment: dotted keys of the command line, tables of a TOML file. */
export const sdeSchema = z.strictObject({
  seed: z.int().min(0).default(1).describe("decides initialization, mini-batches and noise; --seeds sets several"),
  dtype: z.enum(["f32", "f64"]).default("f32").describe("numbers that everything is computed in"),
  threads: count.default(1).describe("threads of ONNX Runtime in each process"),
  model: z
    .strictObject({
      width: count.default(32).describe("hidden units of a layer; the activation is tanh, because T sees no kinks"),
      depth: count.default(1).describe("hidden layers"),
    })
    .prefault({}),
  data: z
    .strictObject({
      name: z.enum(FILES).default("fashion-mini"),
      dir: z.string().optional().describe("folder to look in first"),
      train: count.default(2000).describe("training images: the first so many of the set"),
      test: count.default(2000).describe("test images: the first so many of the set"),
      batch: count.default(64).describe("images per mini-batch, of the method and inside the expectations alike"),
    })
    .prefault({}),
  method: z
    .strictObject({
      name: z.enum(trainingMethodNames).default("sam").describe("the discrete algorithm"),
      rho: z
        .union([notNegative, z.array(notNegative).min(1)])
        .default([0.05, 0.1, 0.2, 0.5])
        .describe("perturbation radius ρ; a list makes a figure of each"),
      alpha: notNegative.default(0.2).describe("alignment strength α of Eigen-SAM"),
      every: count.default(100).describe("steps between Eigen-SAM's estimates of v"),
      iterations: count.default(5).describe("power-iteration steps per estimate"),
    })
    .prefault({}),
  sde: z
    .strictObject({
      eta: positive.default(0.05).describe("learning rate η; step t of the algorithm is time ηt"),
      steps: count.default(2000).describe("steps of the discrete algorithm"),
      substeps: count.default(1).describe("Euler steps r per discrete step: dt = η/r"),
      batches: count.default(8).describe("mini-batches M per Euler step"),
      processes: z
        .array(z.enum(processNames))
        .min(1)
        .default([...processNames])
        .describe(`some of ${processNames.join(", ")}`),
    })
    .prefault({}),
  measure: z
    .strictObject({
      every: count.default(50).describe("steps between measurements, which are checkpoints as well"),
      curvatureImages: count.default(500).describe("training images whose Hessian λ₁ is of"),
    })
    .prefault({}),
});

export type SdeConfig = z.output<typeof sdeSchema>;

/** The settings of one run: one seed, one radius. */
export type SdeRunConfig = SdeConfig & { readonly method: { readonly rho: number } };

export const sdeSettings = settingsOf(sdeSchema, {
  command: "eigensam sde",
  example: "sde.steps=500 or method.rho=[0.1,0.2]",
});

/** The runs of a configuration: every radius with every seed, and the name of each one's folder. */
export function plannedRuns(config: SdeConfig, seeds: readonly number[]) {
  const radii = [...new Set([config.method.rho].flat())];
  return radii.flatMap((rho) =>
    seeds.map((seed) => ({
      name: `rho${rho}-seed${seed}`,
      config: { ...config, seed, method: { ...config.method, rho } } as SdeRunConfig,
    })),
  );
}
