import { z } from "zod";
import { type RunSettings, settingsOf } from "../../run/settings.ts";
import { seriesOf } from "../../sde/variants.ts";
import { hyperSettings, ownSettings, unreadKeys } from "../../train/config.ts";
import { located } from "../../train/settings.ts";
import { builtIn, type Registry } from "../../train/registry.ts";
import { ConfigError } from "../../util/errors.ts";
import { namesOf } from "../../util/names.ts";
import type { Activation } from "../../models/entry.ts";
import { MOST_REPLICATES, processNames } from "./processes.ts";

const count = z.int().min(1);
const positive = z.number().positive();
const notNegative = z.number().min(0);

/** How inputs are scaled before the network reads them. */
const inputScalings = ["raw", "normalized"] as const;

/** Nonlinearities with derivatives of every order: T[u,u] does not see the kinks of ReLU. */
const smoothActivations = ["tanh", "silu"] as const satisfies readonly Activation[];

/** The networks with derivatives of every order. */
const smoothModels = ({ models }: Registry): string[] =>
  namesOf(models).filter((name) => models[name]!.smooth === true);

/** Every setting of the experiment: dotted keys of the command line, tables of a TOML file. */
export const sdeSchema = (registry: Registry) =>
  z.strictObject({
    seed: z
      .int()
      .min(0)
      .optional()
      .describe("decides initialization, mini-batches and noise; --seeds sets several (default: those of --scale)"),
    dtype: z.enum(["f32", "f64"]).default("f32").describe("numbers that everything is computed in"),
    threads: count.default(1).describe("threads of ONNX Runtime in each process"),
    model: z
      .strictObject({
        name: z
          .enum(smoothModels(registry))
          .default("mlp")
          .describe("network, one of those with derivatives of every order"),
        width: count.default(32).describe("hidden units of a layer, or channels of the first convolution"),
        depth: count.optional().describe("hidden layers, where the model has a choice (default: 1)"),
        activation: z.enum(smoothActivations).default("tanh").describe("nonlinearity: T[u,u] does not see kinks"),
      })
      .prefault({}),
    data: z
      .strictObject({
        name: z.enum(namesOf(registry.datasets)).default("fashion-mini").describe("data set with labels"),
        dir: z.string().optional().describe("folder to look in first"),
        inputs: z
          .enum(inputScalings)
          .default("raw")
          .describe("images as pixel/255, or with the mean taken off and divided by the deviation"),
        train: count.default(2000).describe("training examples: the first so many of the set"),
        test: count.default(2000).describe("test examples: the first so many of the set"),
        batch: count.default(64).describe("examples per mini-batch, of the method and inside the expectations alike"),
      })
      .prefault({}),
    method: z
      .strictObject({
        name: z
          .enum(namesOf(registry.methods))
          .default("sam")
          .describe("the discrete algorithm: a perturbation or a series, without state"),
        ...hyperSettings(registry),
        rho: z
          .union([notNegative, z.array(notNegative).min(1)])
          .default([0.05, 0.1, 0.2, 0.5])
          .describe("perturbation radius ρ; a list makes a figure of each"),
        every: count.default(100).describe("steps between estimates of v, where the method reads it"),
        iterations: count.default(5).describe("power-iteration steps per estimate"),
      })
      .prefault({}),
    sde: z
      .strictObject({
        eta: positive.default(0.1).describe("learning rate η; step t of the algorithm is time ηt"),
        steps: count.default(2000).describe("steps of the discrete algorithm"),
        substeps: count.default(1).describe("Euler steps r per discrete step: dt = η/r"),
        batches: count.default(8).describe("mini-batches M per Euler step"),
        processes: z
          .array(z.enum(processNames))
          .min(1)
          .default([...processNames])
          .describe(`some of ${processNames.join(", ")}`),
        replicates: count
          .max(MOST_REPLICATES)
          .default(5)
          .describe(
            "paths R of the discrete method from each start: `repeat` makes R − 1 with mini-batches of their own",
          ),
      })
      .prefault({}),
    measure: z
      .strictObject({
        every: count.default(50).describe("steps between measurements, which are checkpoints as well"),
        curvatureImages: count.default(500).describe("training examples whose Hessian λ₁ is of"),
      })
      .prefault({}),
  });

type Parsed = z.output<ReturnType<typeof sdeSchema>>;

/** Resolved settings; `method` holds the numbers its method reads. */
export type SdeConfig = Omit<Parsed, "method"> & {
  readonly method: Pick<Parsed["method"], "name" | "rho" | "every" | "iterations">;
};

/** The settings of one run: one seed, one radius. */
export type SdeRunConfig = SdeConfig & { readonly seed: number; readonly method: { readonly rho: number } };

/** The settings that the entries of a registry allow. ConfigError where the method has no SDE, besides what every setting can be wrong in. */
export function sdeSettingsOf(registry: Registry): RunSettings<SdeConfig> {
  const { list, resolve } = settingsOf(sdeSchema(registry), {
    command: "eigensam sde",
    example: "sde.steps=500 or method.rho=[0.1,0.2]",
    extensible: ["method.name", "data.name"],
  });
  return {
    list,
    resolve: (...args) => located(settled(resolve(...args), registry)),
    unread: (...args) => unreadKeys(resolve(...args).method, registry),
  };
}

export const sdeSettings = sdeSettingsOf(builtIn);

/** The method's own settings, checked for every radius. */
function settled(config: Parsed, registry: Registry): SdeConfig {
  const { method, sde } = config;
  if (sde.processes.includes("repeat") && sde.replicates < 2)
    throw new ConfigError(
      `sde.replicates is ${sde.replicates}, but sde.processes has repeat`,
      { replicates: sde.replicates },
      "two paths of the method at least, or leave repeat out of sde.processes",
    );
  seriesOf(registry.methods[method.name]!);
  const { rho } = method;
  const [own] = [rho].flat().map((radius) => ownSettings({ ...method, rho: radius }, registry));
  return { ...config, method: { ...own!, rho } };
}

/** The runs of a configuration: every radius with every seed, and the name of each one's folder. */
export function plannedRuns(config: SdeConfig, seeds: readonly number[]) {
  const { seed: _, ...common } = config;
  const radii = [...new Set([config.method.rho].flat())];
  return radii.flatMap((rho) =>
    seeds.map((seed) => ({
      name: `rho${rho}-seed${seed}`,
      config: { seed, ...common, method: { ...config.method, rho } } as SdeRunConfig,
    })),
  );
}
