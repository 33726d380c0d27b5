import type { Dataset } from "../../data/dataset.ts";
import type { TrainConfig } from "../../train/config.ts";
import { datasetOf } from "../../train/registry.ts";
import { type Problem, problemOf } from "../../train/session.ts";
import { registry } from "../plugins.ts";

/** What settings stand for. Data sets are kept, and problems are not: each holds its part of the examples. */
export function problems(): (run: { readonly config: TrainConfig }) => Promise<Problem> {
  const datasets = new Map<string, Promise<Dataset>>();
  return async ({ config }) => {
    const places = JSON.stringify(placesOf(config.data));
    const dataset = datasets.get(places) ?? datasetOf(config, registry());
    datasets.set(places, dataset);
    return problemOf(config, await dataset, registry());
  };
}

/** Settings of mini-batches; a data set is read by the others. */
const ofBatches: ReadonlySet<string> = new Set<keyof TrainConfig["data"]>([
  ...(["batch", "validation", "mixup"] as const),
  ...(["crop", "flip", "cutout", "randAugment", "magnitude", "interpolation", "fill"] as const),
]);

const placesOf = (data: TrainConfig["data"]) => Object.entries(data).filter(([key]) => !ofBatches.has(key));
