import type { z } from "zod";
import { type Optimizer, type OptimizerDefaults, type OptimizerName, optimizers } from "../optim/optimizers.ts";
import { groupBy } from "../util/group-by.ts";
import type { Registry } from "./registry.ts";

/** Settings of which some may be left open. */
interface Open {
  readonly model: { readonly name?: string | undefined };
  readonly data: { readonly name: string; readonly crop?: number | undefined; readonly flip?: boolean | undefined };
  readonly method: { readonly name: string };
  readonly optimizer: { readonly name: OptimizerName } & { readonly [N in OptimizerNumber]?: number | undefined };
}

/** The numbers that every optimizer has a value of, whether it reads them or not: what it takes where its entry says nothing else. */
const COMMON = { momentum: 0.9, beta1: 0.9, beta2: 0.999, eps: 1e-8 } as const;

type OptimizerNumber = keyof OptimizerDefaults;

/**
 * The settings with those that were left open and depend on others: numbers of the optimizer on which one it is, the radius on method and
 * network, random changes of images and the network on the data set. docs/guide/train.md has them with their sources.
 */
export function withDefaults<C extends Open>(config: C, { models, datasets, methods }: Registry): C {
  const { data, optimizer, method } = config;
  const model = config.model.name ?? datasets[data.name]?.model ?? FOR_IMAGES;
  const { crop, flip } = datasets[data.name]?.augment ?? NO_CHANGES;
  const radius = methods[method.name]?.hyper.rho?.default;
  const part = models[model]?.radius;
  const plain = methods[method.name]?.needs.plainSgd;
  const own = plain && optimizer.name === "sgd" ? { ...plain, momentum: 0, weightDecay: 0 } : {};
  const rho = radius === undefined || part === undefined ? {} : { rho: Number((part * radius).toPrecision(3)) };
  return {
    ...config,
    model: { ...config.model, name: model },
    data: { ...data, crop: data.crop ?? crop, flip: data.flip ?? flip },
    method: { ...rho, ...method },
    optimizer: { ...COMMON, ...optimizers[optimizer.name].defaults, ...own, ...given(optimizer) },
  };
}

/** The network that images are trained on where none is given: the paper's. */
const FOR_IMAGES = "resnet18";

const given = <T extends object>(settings: T): T =>
  Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as T;

/** Digits have no mirror image, and what arrays of one's own show is not known. */
const NO_CHANGES = { crop: 0, flip: false };

/** The keys of numbers given that the optimizer does not read. Of those that every optimizer has a value of, nothing is said. */
export const unreadNumbers = ({ name, ...numbers }: Open["optimizer"]): string[] =>
  (["trustCoefficient", "vectorRate"] as const)
    .filter((key) => numbers[key] !== undefined && !(optimizers[name] as Optimizer).reads.includes(key))
    .map((key) => `optimizer.${key}`);

/** An optional number of optimizers; its help says which ones read it, and with what defaults. */
export function optimizerNumber(key: OptimizerNumber, numbers: z.ZodNumber, about: string): z.ZodOptional<z.ZodNumber> {
  const reading = Object.entries<Optimizer>(optimizers).filter(([, { reads }]) => key === "lr" || reads.includes(key));
  const standard = ({ defaults }: Optimizer) => ({ ...COMMON, ...defaults })[key];
  const values = [...groupBy(reading, ([, optimizer]) => standard(optimizer))].map(
    ([value, some]) => `${value} in ${some.map(([name]) => name).join(", ")}`,
  );
  return numbers.optional().describe(`${about} (default: ${values.join("; ")})`);
}
