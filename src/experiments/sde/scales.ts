import { namesOf } from "../../util/names.ts";

/** How much of the experiment is run: seeds 1 … `seeds`, and settings that differ from the defaults. */
export interface SdeScale {
  readonly seeds: number;
  readonly settings: readonly string[];
}

/** Sizes of the experiment. From 20 seeds on, intervals of differences are short enough to tell orders apart. */
export const sdeScales = {
  smoke: {
    seeds: 5,
    settings: ["sde.steps=200", "measure.every=20", "data.train=500", "data.test=500", "sde.replicates=3"],
  },
  laptop: { seeds: 20, settings: [] },
  full: { seeds: 20, settings: ["sde.steps=5000", "data.train=10000"] },
} as const satisfies Readonly<Record<string, SdeScale>>;

/** Name of a size of the experiment. */
export type SdeScaleName = keyof typeof sdeScales;

export const sdeScaleNames = namesOf(sdeScales);
