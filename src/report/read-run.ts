import { existsSync, readFileSync } from "node:fs";
import type { z } from "zod";
import { runFiles } from "../train/run-dir.ts";
import { InputError } from "../util/errors.ts";
import {
  type EpochLine,
  type EpochTime,
  metricsLine,
  type ProbeLine,
  type RefreshLine,
  type RefreshTime,
  type RunRecord,
  runRecord,
  type StepLine,
  timingsLine,
} from "./run-schema.ts";

/** A run directory, read. */
export interface Run {
  readonly path: string;
  readonly record: RunRecord;
  readonly steps: readonly StepLine[];
  readonly epochs: readonly EpochLine[];
  readonly refreshes: readonly RefreshLine[];
  readonly probes: readonly ProbeLine[];
  readonly epochTimes: readonly EpochTime[];
  readonly refreshTimes: readonly RefreshTime[];
}

export function readRun(path: string): Run {
  const files = runFiles(path);
  const record = readRecord(path, files.record);
  const metrics = readLines(files.metrics, metricsLine);
  const timings = readLines(files.timings, timingsLine);
  return {
    path,
    record,
    steps: metrics.filter((line) => line.kind === "step"),
    epochs: metrics.filter((line) => line.kind === "epoch"),
    refreshes: metrics.filter((line) => line.kind === "refresh"),
    probes: metrics.filter((line) => line.kind === "probe"),
    epochTimes: timings.filter((line) => line.kind === "epoch"),
    refreshTimes: timings.filter((line) => line.kind === "refresh"),
  };
}

function readRecord(path: string, file: string): RunRecord {
  if (!existsSync(file))
    throw new InputError(
      `${path} has no run.json: no step was taken yet`,
      { path },
      `eigensam train --resume ${path} starts it again`,
    );
  return checked(readFileSync(file, "utf8"), runRecord, file, "it is written by eigensam train; was it edited?");
}

/** JSON lines. What follows the last line break is a line that a kill cut short, and does not count. */
function readLines<T extends z.ZodType>(file: string, schema: T): z.output<T>[] {
  if (!existsSync(file)) return [];
  const whole = readFileSync(file, "utf8").split("\n").slice(0, -1);
  const hint = "only a last line may be cut short; was the file edited, or written by another version?";
  return whole.map((line, i) => checked(line, schema, `${file}: line ${i + 1}`, hint));
}

function checked<T extends z.ZodType>(text: string, schema: T, source: string, hint: string): z.output<T> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new InputError(`${source}: got ${excerpt(text)}, expected JSON`, { source }, hint);
  }
  const { data, error } = schema.safeParse(value);
  if (error === undefined) return data;
  const { path, message } = error.issues[0]!;
  const key = path.join(".");
  const given = path.reduce<unknown>((inner, part) => (inner as Record<PropertyKey, unknown> | null)?.[part], value);
  const got = given === undefined ? "nothing" : excerpt(JSON.stringify(given));
  throw new InputError(
    `${source}: got ${got}${key === "" ? "" : ` for ${key}`}: ${message}`,
    { source, key, given },
    hint,
  );
}

const excerpt = (text: string): string => (text.length > 40 ? `${text.slice(0, 40)}…` : text || "an empty line");
