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

/** The settings that a data set is read by: all but those of its batches. */
const placesOf = ({
  batch: _,
  validation: __,
  crop: ___,
  flip: ____,
  cutout: _____,
  randAugment: ______,
  magnitude: _______,
  interpolation: ________,
  fill: _________,
  ...places
}: object & TrainConfig["data"]) => places;
