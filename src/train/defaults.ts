import { type Optimizer, type OptimizerName, optimizers } from "../optim/optimizers.ts";
import type { Registry } from "./registry.ts";

/** η of SGD with momentum where the network declares none. */
const USUAL_RATE = 0.1;

/** Settings of which some may be left open. */
interface Open {
  readonly model: { readonly name: string };
  readonly data: { readonly name: string; readonly crop?: number | undefined; readonly flip?: boolean | undefined };
  readonly optimizer: {
    readonly name: OptimizerName;
    readonly lr?: number | undefined;
    readonly weightDecay?: number | undefined;
  };
}

/**
 * The settings with those that were left open and depend on others: the learning rate on optimizer and network, the weight decay on
 * the optimizer, random changes of images on the data set. docs/guide/train.md has them with their sources.
 */
export function withDefaults<C extends Open>(config: C, { models, datasets }: Registry): C {
  const { data, optimizer } = config;
  const standard: Optimizer["defaults"] = optimizers[optimizer.name].defaults;
  const { crop, flip } = datasets[data.name]?.augment ?? NO_CHANGES;
  const rate = standard.lr ?? models[config.model.name]?.lr ?? USUAL_RATE;
  return {
    ...config,
    data: { ...data, crop: data.crop ?? crop, flip: data.flip ?? flip },
    optimizer: {
      ...optimizer,
      lr: optimizer.lr ?? rate,
      weightDecay: optimizer.weightDecay ?? standard.weightDecay,
    },
  };
}

/** Digits have no mirror image, and what arrays of one's own show is not known. */
const NO_CHANGES = { crop: 0, flip: false };
