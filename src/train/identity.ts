import { z } from "zod";
import { isSplit } from "../data/dataset.ts";
import type { LoadOptions } from "../data/dataset.ts";
import { digest, digestsOf } from "../data/digest.ts";
import { ConfigError } from "../util/errors.ts";
import { parseJson } from "../run/lines.ts";
import { excerpt, shown } from "../util/excerpt.ts";
import type { TrainConfig } from "./config.ts";
import type { Problem } from "./session.ts";

/** What a run must resume with, as texts of a checkpoint. */
export interface Identity {
  /** Settings in JSON, without those that change no result. */
  readonly settings: string;
  /** Digest of every example; of shapes and counts alone where batches come from a source. */
  readonly examples: string;
  /** Digest of the file that it started from, where there was one. */
  readonly start?: string;
  /** Digest of names, shapes and places of the parameters and running statistics. */
  readonly network: string;
}

export const identityOf = ({ config, dataset, model, train, startFile }: Problem): Identity => {
  const { inputShape, targets } = dataset;
  const counts = isSplit(train) ? {} : { stepsPerEpoch: train.stepsPerEpoch, batch: train.batch };
  return {
    settings: JSON.stringify(settingsOf(config)),
    examples: digest(JSON.stringify({ inputShape, targets, ...counts, digests: digestsOf(dataset) })),
    network: digest(JSON.stringify([model.parameters.entries, model.buffers.entries])),
    ...(startFile?.digest === undefined ? {} : { start: startFile.digest }),
  };
};

/** Throws a ConfigError that says what differs, where a checkpoint was written by a run of another identity. */
export function assertSame(run: string, found: Partial<Identity>, own: Partial<Identity>): void {
  const differing = (what: string) => {
    throw new ConfigError(`${run} was begun with ${what}`, { run }, "put it back as it was, or start a new run");
  };
  if (found.settings !== undefined && own.settings !== undefined && found.settings !== own.settings)
    differing(
      `other settings: ${changes(parseJson(found.settings, z.unknown(), `${run}: settings of its checkpoint`), JSON.parse(own.settings)).join("; ")}`,
    );
  if (found.examples !== undefined && found.examples !== own.examples) differing("other data");
  if (found.network !== undefined && found.network !== own.network) differing("another network");
  if (found.start !== undefined && own.start === undefined) differing("a file model.weights that is gone");
  if (found.start !== undefined && found.start !== own.start) differing("another file model.weights");
}

/** Without what changes no result. Where examples and starting weights are found does not: their digests tell them apart. */
function settingsOf({
  data,
  train: { checkpointEvery: _, tensorboard: __, memoryLimit: ____, ...train },
  ...rest
}: TrainConfig) {
  const { weights: ___, ...model } = rest.model;
  // Every key stays in its place: settings are compared as texts.
  return { ...rest, model, data: withoutPaths(data), train };
}

/** The settings of data without its paths. */
export function withoutPaths<D extends LoadOptions>({
  dir: _,
  images: __,
  labels: ___,
  testImages: ____,
  testLabels: _____,
  file: ______,
  testFile: _______,
  path: ________,
  ...data
}: D) {
  return data;
}

/** The settings that differ: "optimizer.lr was 0.1, now 0.2". */
export function changes(before: unknown, after: unknown, key = ""): string[] {
  const isTable = (value: unknown): value is Record<string, unknown> =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  if (isTable(before) && isTable(after))
    return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((name) =>
      changes(before[name], after[name], key === "" ? name : `${key}.${name}`),
    );
  const [was, is] = [shown(before) ?? "not set", shown(after) ?? "not set"];
  return was === is ? [] : [`${excerpt(key)} was ${was}, now ${is}`];
}
