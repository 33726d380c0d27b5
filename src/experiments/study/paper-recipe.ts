/**
 * How the paper trains its networks from scratch (paper.md, section 4): batch 256, 200 epochs, rate 0.1 with cosine, momentum 0.9, random
 * crop and flip on every data set; the weight decay is of the authors' code. All is written out, so that no default decides it.
 */
export const paperRecipe = {
  data: { batch: 256, crop: 4, flip: true },
  optimizer: { name: "sgd", lr: 0.1, momentum: 0.9, weightDecay: 5e-4 },
  schedule: { name: "cosine" },
  train: { epochs: 200 },
} as const;

/** The rate of the paper on SVHN. */
export const SVHN_RATE = 0.01;

/** How the paper estimates v: 5 steps of power iteration every 100 steps, on the mini-batch at hand. */
export const paperEstimates = { solver: "power", every: 100, iterations: 5 } as const;
