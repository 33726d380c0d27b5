import { z } from "zod";
import { initNames } from "../nn/init.ts";
import { solverNames } from "../optim/eigenvector.ts";
import { aligned } from "../optim/align.ts";
import { assertHyper } from "../optim/hyper.ts";
import type { Method } from "../optim/method.ts";
import { sgd } from "../optim/methods/sgd.ts";
import { optimizerNames } from "../optim/optimizers.ts";
import { scheduleNames } from "../optim/schedules.ts";
import { devices } from "../runtime/device.ts";
import { groupBy } from "../util/group-by.ts";
import { namesOf } from "../util/names.ts";
import { dataSettings } from "./data-settings.ts";
import { decisions } from "./official.ts";
import { optimizerNumber, withDefaults } from "./defaults.ts";
import { builtIn, type Registry } from "./registry.ts";

const count = z.int().min(1);
const countOrOff = z.int().min(0);
const positive = z.number().positive();
const notNegative = z.number().min(0);
const fraction = z.number().min(0).lt(1);

/** Every setting of a training run: dotted keys of the command line, tables of a TOML file. */
export function trainSchema(registry: Registry) {
  return z.strictObject({
    seed: z
      .int()
      .min(0)
      .default(1)
      .describe("decides initialization, order of examples, augmentation and first eigenvector"),
    device: z.enum(devices).default("cpu").describe("where the graph runs"),
    threads: countOrOff.default(0).describe("threads of ONNX Runtime; 0 is one per core"),
    model: z
      .strictObject({
        name: z
          .enum(namesOf(registry.models))
          .optional()
          .describe(`network (default: ${ownModels(registry)}resnet18)`),
        width: count
          .optional()
          .describe(
            "channels of the first stage, widening factor, hidden units or length of a vector; each model has its default",
          ),
        depth: count.optional().describe("layers, where the model has a choice"),
        heads: count.optional().describe("heads of attention of a transformer; the width is a multiple of them"),
        patch: count
          .optional()
          .describe("height and width of a vision transformer's patches in pixels; images are multiples of it"),
        dropout: fraction
          .optional()
          .describe("rate of dropout of a vision transformer, where torchvision's has it (default: 0)"),
        attentionDropout: fraction
          .optional()
          .describe("rate of dropout of a vision transformer's weights of attention (default: 0)"),
        dropPath: fraction
          .optional()
          .describe(
            "rate of stochastic depth of a vision transformer's last block, growing linearly from 0 in the first (default: 0)",
          ),
        resize: count
          .optional()
          .describe(
            "height and width that images are resized to inside the graph, in pixels, bilinearly (default: none)",
          ),
        activation: z.enum(["relu", "tanh", "silu"]).optional().describe("nonlinearity, where the model has a choice"),
        init: z
          .enum(initNames)
          .optional()
          .describe("how weights of layers start: as PyTorch (default), he for ReLU, xavier for tanh"),
        freeze: z
          .array(z.string().min(1))
          .optional()
          .describe(
            'patterns of parameter names that are not trained; * stands for any text: ["conv1.*"] (default: none)',
          ),
        weights: z
          .string()
          .optional()
          .describe(
            "file to start from, safetensors or .pth, with our names, torchvision's, Hugging Face's or timm's (default: none)",
          ),
        newHead: z
          .boolean()
          .optional()
          .describe("starts the last layer anew, whatever model.weights holds (default: false)"),
        strict: z
          .boolean()
          .optional()
          .describe(
            "whether model.weights must hold every tensor in its shape and nothing else; false takes what fits (default: true)",
          ),
      })
      .prefault({}),
    data: dataSettings(registry),
    method: z
      .strictObject({
        name: z.enum(namesOf(registry.methods)).default("eigen-sam").describe("training method"),
        ...hyperSettings(registry),
        rhoWarmup: notNegative
          .optional()
          .describe("epochs over which rho grows linearly from 0, for methods that read rho (default: 0, off)"),
        from: notNegative
          .optional()
          .describe(
            "epoch from which the method acts, fractions allowed; before it steps are its base optimizer's (default: 0)",
          ),
        m: count
          .optional()
          .describe(
            "parts of each mini-batch that the method perturbs apart, each along its own gradient (default: 1)",
          ),
        align: notNegative
          .optional()
          .describe(
            "strength α with which a method's own ε is turned towards v, as eigen-sam turns sam's (default: 0, off)",
          ),
        solver: z
          .enum(solverNames)
          .default("free")
          .describe("how the top eigenvector is estimated: docs/guide/train.md compares the solvers"),
        every: count
          .default(100)
          .describe("steps between estimates of the top eigenvector, k: solvers power and lanczos; spread takes k/p"),
        iterations: count
          .default(5)
          .describe("Hessian-vector products per estimate, p: solvers power and lanczos, and every first estimate"),
        follow: z
          .number()
          .positive()
          .lt(1)
          .default(0.1)
          .describe("part of v that the change of the gradient replaces in every step: solver free"),
        trust: positive
          .default(0.5)
          .describe("largest residual ‖Hv − λv‖/|λ| of an estimate that steps use; until then they are SAM's"),
        batches: count.default(4).describe("mini-batches of the Hessian that solver oracle measures"),
        hessianBn: z.enum(["batch", "running"]).default("batch").describe("batch-norm statistics in the Hessian"),
        warmup: z
          .enum(["estimate", "sam", "usam"])
          .default("estimate")
          .describe("before the first regular estimate: estimate at step 0, or take SAM or USAM steps"),
        compat: z
          .enum(["none", "official"])
          .default("none")
          .describe(`official: as the authors' code; steps count within the epoch, and these are set: ${decisions()}`),
      })
      .prefault({}),
    optimizer: z
      .strictObject({
        name: z.enum(optimizerNames).default("sgd").describe("base optimizer"),
        ...optimizerNumbers,
      })
      .prefault({}),
    schedule: z
      .strictObject({
        name: z.enum(scheduleNames).default("cosine").describe("how the learning rate changes"),
        warmup: notNegative.default(0).describe("epochs of linear warm-up"),
        milestones: z
          .array(notNegative)
          .default([])
          .describe("epochs at which schedule.name=step multiplies the rate by gamma"),
        gamma: positive.default(0.1).describe("factor at each milestone"),
      })
      .prefault({}),
    train: z
      .strictObject({
        epochs: count.default(10).describe("passes over the training examples"),
        loss: z
          .enum(namesOf(registry.losses))
          .optional()
          .describe("what is minimized; left out, cross-entropy for labels and mse for real-valued targets"),
        labelSmoothing: fraction.default(0).describe("part of each target that is spread over all classes"),
        clip: notNegative.default(0).describe("largest norm of the descent direction; 0 is off"),
        accumulate: count
          .optional()
          .describe(
            "micro-batches that each mini-batch is computed in, one after another, to take the memory of one (default: 1)",
          ),
        memoryLimit: positive
          .optional()
          .describe(
            "MiB that a graph's values, inputs and outputs may take; forward passes are computed again for gradients as far as that needs (default: any)",
          ),
        checkpointEvery: countOrOff
          .default(0)
          .describe("steps between checkpoints, besides one after every epoch; 0 is off"),
        ema: fraction
          .optional()
          .describe(
            "memory λ of a running mean of the weights, which is scored and kept in their place (default: none is kept)",
          ),
        patience: count
          .optional()
          .describe("epochs without a better validation score after which the run ends early (default: it does not)"),
        validateEvery: count
          .optional()
          .describe("steps between scorings of the validation examples besides that after every epoch (default: none)"),
        testEvery: countOrOff.default(0).describe("epochs between scorings of the test set besides the last; 0 is off"),
        tensorboard: z.boolean().default(false).describe("writes what metrics.jsonl holds for TensorBoard as well"),
      })
      .prefault({}),
    probe: z
      .strictObject({
        every: countOrOff
          .default(0)
          .describe(
            "steps between measurements of λ₁ and alignment apart from the training, and one at its end; 0 is off",
          ),
        at: z.array(countOrOff).default([]).describe("further steps, counted from 0, before which it measures"),
        batches: count.default(4).describe("mini-batches of its Hessian, drawn once from the training examples"),
        top: count.default(3).describe("largest eigenvalues that it finds"),
        tolerance: positive.default(0.05).describe("residual ‖Hv − λv‖/|λ| at which it stops"),
        products: count.default(40).describe("Hessian-vector products of one measurement, at most"),
      })
      .prefault({}),
  });
}

/** The data sets whose inputs ask for another network than images do. */
const ownModels = ({ datasets }: Registry): string =>
  Object.values(datasets)
    .flatMap(({ name, model }) => (model === undefined ? [] : [`${model} for ${name}, else `]))
    .join("");

const DECAYS = "weight decay: coupled in sgd and lars, decoupled in the others";

/** The numbers of optimizers; their help says who reads them, and with what default. */
const optimizerNumbers = {
  lr: optimizerNumber("lr", notNegative, "learning rate η"),
  momentum: optimizerNumber("momentum", fraction, "momentum μ"),
  nesterov: z.boolean().default(false).describe("Nesterov's form of sgd's momentum"),
  weightDecay: optimizerNumber("weightDecay", notNegative, DECAYS),
  beta1: optimizerNumber("beta1", fraction, "decay of the mean of gradients"),
  beta2: optimizerNumber(
    "beta2",
    fraction,
    "decay of the mean of squared gradients; of lion, of its mean of gradients",
  ),
  eps: optimizerNumber("eps", positive, "added to the denominator"),
  trustCoefficient: optimizerNumber(
    "trustCoefficient",
    positive,
    "length of a step as a part of the weight's, times η",
  ),
  vectorRate: optimizerNumber("vectorRate", notNegative, "rate of the part that AdamW moves, as a factor of η"),
  noDecay: z
    .boolean()
    .optional()
    .describe("whether vectors (biases, scales and shifts of norms) take no weight decay (default: false)"),
  layerDecay: positive
    .max(1)
    .optional()
    .describe("factor of the learning rate from one layer to the layer before it (default: 1, off)"),
};

/** Settings as they are read: what depends on others may be left open. */
export type ParsedConfig = z.output<ReturnType<typeof trainSchema>>;

type With<T, K extends keyof T> = T & { readonly [N in K]-?: Exclude<T[N], undefined> };

/** Resolved settings of a run. Names are strings, because plugins add some; `method` holds the numbers its method reads. */
export type TrainConfig = Omit<ParsedConfig, "method" | "data" | "optimizer" | "model"> & {
  readonly model: With<ParsedConfig["model"], "name">;
  readonly data: With<ParsedConfig["data"], "crop" | "flip">;
  readonly optimizer: With<ParsedConfig["optimizer"], "lr" | "weightDecay" | "momentum" | "beta1" | "beta2" | "eps">;
  readonly method: ParsedConfig["method"] & { readonly [hyper: string]: string | number | undefined };
};

/** One optional setting per hyperparameter that some method declares; its help says who reads it, and with what default. */
export function hyperSettings({ methods }: Registry): Record<string, z.ZodOptional<z.ZodNumber>> {
  const read = Object.values(methods).flatMap(({ name: method, hyper: own }) =>
    Object.entries(own).map(([key, hyper]) => ({ key, method, hyper })),
  );
  return Object.fromEntries(
    [...groupBy(read, ({ key }) => key)].map(([key, all]) => {
      const names = (some: typeof all) => some.map(({ method }) => method).join(", ");
      const defaults = [...groupBy(all, ({ hyper }) => hyper.default)];
      const standard = defaults
        .map(([value, some]) => (defaults.length === 1 ? `${value}` : `${value} in ${names(some)}`))
        .join("; ");
      const readers = [...groupBy(all, ({ hyper }) => hyper.about)].map(
        ([about, some]) => `${about}; read by ${names(some)}`,
      );
      return [
        key,
        z
          .number()
          .optional()
          .describe(`${readers.join("; ")} (default: ${standard})`),
      ];
    }),
  );
}

/** Parsed settings with everything decided: what was left open, and the method's own settings. */
export function settled(config: ParsedConfig, registry: Registry, schema: ReturnType<typeof trainSchema>): TrainConfig {
  // Parsed once more, so that what is filled in stands where it would stand if it were given.
  const whole = schema.parse(withDefaults(config, registry)) as ParsedConfig & Omit<TrainConfig, "method">;
  return { ...whole, method: ownSettings(whole.method, registry) };
}

/** The settings of `method`: the chosen method's numbers have their defaults and are checked, numbers of other methods are left out. */
export function ownSettings<M extends { readonly name: string }>(given: M, registry: Registry) {
  const { name, ...rest } = given;
  const others = hyperNames(registry);
  const method = registry.methods[name]!;
  const reads = commonKeys(method);
  const common = Object.fromEntries(
    Object.entries(rest).filter(([key]) => !others.has(key) && (!COMMON.includes(key) || reads.includes(key))),
  );
  return { name, ...hyperOf(method, given), ...common } as M & Readonly<Record<string, number>>;
}

/** Settings that some methods do not read, besides their numbers. */
const COMMON: readonly string[] = ["rhoWarmup", "from", "m"];

/** Those that this one reads: ρ grows where there is one, and SGD is its own base optimizer. */
const commonKeys = ({ name, hyper }: Pick<Method, "name" | "hyper">): readonly string[] =>
  COMMON.filter((key) => (key === "rhoWarmup" ? "rho" in hyper : name !== sgd.name));

/** The names of the numbers of all methods. */
const hyperNames = ({ methods }: Registry): ReadonlySet<string> =>
  new Set(Object.values(methods).flatMap(({ hyper }) => Object.keys(hyper)));

/** The keys of the numbers given that are other methods'. */
export function unreadKeys(method: Readonly<Record<string, unknown>> & { readonly name: string }, registry: Registry) {
  const used = registry.methods[method.name]!;
  const reads = new Set([...Object.keys(used.hyper), ...commonKeys(used)]);
  return [...hyperNames(registry), ...COMMON]
    .filter((key) => method[key] !== undefined && !reads.has(key))
    .map((key) => `method.${key}`);
}

/** The numbers a method reads, with its defaults for those that `given` lacks; each is checked against its range. */
export const hyperOf = (
  { hyper }: Pick<Method, "hyper">,
  given: Readonly<Record<string, unknown>>,
): Record<string, number> =>
  Object.fromEntries(
    Object.entries(hyper).map(([key, declared]) => {
      const value = given[key] ?? declared.default;
      assertHyper(`method.${key}`, declared, value);
      return [key, value as number];
    }),
  );

/** The method of the settings, aligned with v where they say so. */
export const methodOf = ({ method }: Pick<TrainConfig, "method">, { methods }: Registry = builtIn): Method => {
  const own = methods[method.name]!;
  return method.align === undefined || method.align === 0 ? own : aligned(own);
};
