import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { readRun } from "../../report/read-run.ts";
import { parseJson } from "../../run/lines.ts";
import { epochLine, probeLine, runRecord, score, timingsLine } from "../../train/records.ts";
import { ConfigError } from "../../util/errors.ts";
import { makeFolder, writeAtomic } from "../../util/files.ts";
import { median } from "../../util/statistics.ts";
import type { StudyRun } from "./run.ts";

const count = z.int().min(0);
const seconds = z.number().min(0);

/** What a study keeps of a run: all that its tables and figures read, small enough to be committed. */
export const studyRecord = z.object({
  version: z.literal(1),
  name: z.string(),
  network: z.string(),
  arm: z.string(),
  seed: z.int(),
  /** "diverged": a number of the training became infinite, and the run ends there. */
  status: z.enum(["done", "diverged"]),
  error: z.string().optional(),
  /** Every setting. */
  config: z.looseObject({}),
  parameters: count,
  digests: runRecord.shape.data.shape.digests.unwrap(),
  versions: runRecord.shape.versions,
  steps: count,
  /** Steps that perturbed along v̂. */
  stepsAlongV: count,
  /** Estimates of v̂, how many of them were good, and their Hessian-vector products. */
  estimates: z.object({ made: count, good: count, products: count }),
  probes: z.array(probeLine.omit({ kind: true })),
  epochs: z.array(epochLine.omit({ kind: true })),
  test: score.nullable(),
  /** run.json, and how long epochs and estimates took: reports of runs need them. The registered study's records have neither. */
  run: runRecord.optional(),
  times: z
    .object({
      epochs: z.array(timingsLine.options[0]),
      refreshes: z.array(timingsLine.options[1]),
    })
    .optional(),
  /** The most memory that the process of the run took. */
  memoryMiB: z.number().optional(),
  /** The median time of a step, and the sums of steps, estimates and looks of the probe. */
  seconds: z.object({ step: seconds, steps: seconds, estimates: seconds, probe: seconds }),
});

export type StudyRecord = z.output<typeof studyRecord>;

/**
 * The record of a run that is complete, or that diverged with the given error.
 * @throws ConfigError where the probe did not look at the planned steps
 */
export function recordOf(
  { name, network, arm, config }: StudyRun,
  path: string,
  { diverged, memoryMiB }: { readonly diverged?: Error; readonly memoryMiB?: number } = {},
): StudyRecord {
  const { record, steps, probes, epochs, refreshes, epochTimes, refreshTimes, probeTimes } = readRun(path);
  const judged = probes.map(({ step }) => step);
  const planned = config.probe.every > 0 ? judged : config.probe.at;
  if (diverged === undefined && judged.join() !== planned.join())
    throw new ConfigError(
      `${path} was judged at steps ${judged.join(", ")}, expected ${planned.join(", ")}`,
      { path, judged, planned },
      "remove it, and run the study again",
    );
  const sum = (times: readonly { readonly seconds: number }[]) => times.reduce((all, time) => all + time.seconds, 0);
  const perStep = epochTimes.map(({ stepSeconds }) => stepSeconds);
  const step = perStep.length === 0 ? 0 : median(perStep);
  return {
    version: 1,
    ...{ name, network, arm, seed: config.seed },
    status: diverged === undefined ? "done" : "diverged",
    ...(diverged === undefined ? {} : { error: diverged.message }),
    config: { ...config },
    parameters: record.model.parameters,
    digests: { ...record.data.digests },
    versions: record.versions,
    steps: steps.length,
    stepsAlongV: steps.filter(({ cosEpsV }) => typeof cosEpsV === "number").length,
    estimates: {
      made: refreshes.length,
      good: refreshes.filter(({ good }) => good === true).length,
      products: refreshes.reduce((all, { products = 0 }) => all + products, 0),
    },
    probes: probes.map(({ kind: _, ...look }) => look),
    epochs: epochs.map(({ kind: _, ...line }) => line),
    test: record.result?.test ?? null,
    run: record,
    times: { epochs: epochTimes, refreshes: refreshTimes },
    ...(memoryMiB === undefined ? {} : { memoryMiB }),
    seconds: { step, steps: step * steps.length, estimates: sum(refreshTimes), probe: sum(probeTimes) },
  };
}

const fileOf = (folder: string, name: string): string => join(folder, `${name}.json`);

/** Writes a record to its folder, one line of JSON, whole or not at all. */
export function writeStudyRecord(folder: string, record: StudyRecord): void {
  makeFolder(folder);
  writeAtomic(fileOf(folder, record.name), `${JSON.stringify(record)}\n`);
}

/**
 * The record of a planned run, or undefined where there is none yet.
 * @throws InputError where it is damaged, ConfigError where it is of other settings
 */
export function readStudyRecord(folder: string, run: StudyRun): StudyRecord | undefined {
  const path = fileOf(folder, run.name);
  if (!existsSync(path)) return undefined;
  const record = parseJson(readFileSync(path, "utf8"), studyRecord, path, "put it back, or remove it to make it anew");
  const planned = flat(run.config);
  // Settings that a later version added are not in it; the defaults of those change nothing.
  const odd = [...flat(record.config)].filter(([key, value]) => planned.get(key) !== value);
  if (odd.length > 0)
    throw new ConfigError(
      `${path} is of other settings: ${odd.map(([key, value]) => `${key} is ${value}, expected ${planned.get(key)}`).join("; ")}`,
      { path, keys: odd.map(([key]) => key) },
      "remove it, or choose another folder of records",
    );
  return record;
}

/** The leaves of settings by dotted key, as JSON. */
function flat(value: unknown, key = ""): Map<string, string> {
  if (value === undefined) return new Map();
  if (value === null || typeof value !== "object" || Array.isArray(value))
    return new Map([[key, JSON.stringify(value)]]);
  return new Map(
    Object.entries(value).flatMap(([name, inner]) => [...flat(inner, key === "" ? name : `${key}.${name}`)]),
  );
}
