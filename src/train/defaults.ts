import { type OptimizerName, optimizers } from "../optim/optimizers.ts";
import type { Registry } from "./registry.ts";

/** Settings of which some may be left open. */
interface Open {
  readonly model: { readonly name: string };
  readonly data: { readonly name: string; readonly crop?: number | undefined; readonly flip?: boolean | undefined };
  readonly method: { readonly name: string };
  readonly optimizer: {
    readonly name: OptimizerName;
    readonly lr?: number | undefined;
    readonly weightDecay?: number | undefined;
  };
}

/**
 * The settings with those that were left open and depend on others: rate and weight decay on the optimizer, the radius on method and
 * network, random changes of images on the data set. docs/guide/train.md has them with their sources.
 */
export function withDefaults<C extends Open>(config: C, { models, datasets, methods }: Registry): C {
  const { data, optimizer, method } = config;
  const { lr, weightDecay } = optimizers[optimizer.name].defaults;
  const { crop, flip } = datasets[data.name]?.augment ?? NO_CHANGES;
  const radius = methods[method.name]?.hyper.rho?.default;
  const part = models[config.model.name]?.radius;
  const rho = radius === undefined || part === undefined ? {} : { rho: Number((part * radius).toPrecision(3)) };
  return {
    ...config,
    data: { ...data, crop: data.crop ?? crop, flip: data.flip ?? flip },
    method: { ...rho, ...method },
    optimizer: { ...optimizer, lr: optimizer.lr ?? lr, weightDecay: optimizer.weightDecay ?? weightDecay },
  };
}

/** Digits have no mirror image, and what arrays of one's own show is not known. */
const NO_CHANGES = { crop: 0, flip: false };
