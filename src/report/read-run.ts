import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { type RunRecord, readRecord, runFiles } from "../train/run-dir.ts";
import type { Score } from "../train/evaluate.ts";
import { InputError } from "../util/errors.ts";

export interface StepLine {
  readonly step: number;
  readonly epoch: number;
  readonly loss: number;
  readonly lr: number;
  readonly gradNorm: number;
  readonly cosGradV?: number;
  readonly cosEpsV?: number;
}

export interface EpochLine {
  readonly epoch: number;
  readonly step: number;
  readonly train: Score;
  readonly val: Score | null;
}

export interface RefreshLine {
  readonly step: number;
  readonly eigenvalue: number;
  readonly residual: number;
  readonly cosGradV: number;
}

export interface EpochTime {
  readonly epoch: number;
  readonly seconds: number;
  readonly imagesPerSecond: number;
  readonly dataWait: number;
  readonly stepSeconds: number;
}

/** A run directory, read. */
export interface Run {
  readonly path: string;
  readonly record: RunRecord;
  readonly steps: readonly StepLine[];
  readonly epochs: readonly EpochLine[];
  readonly refreshes: readonly RefreshLine[];
  readonly times: readonly EpochTime[];
  readonly refreshSeconds: readonly number[];
}

/** The runs among paths that are run directories, or folders of run directories. */
export function findRuns(paths: readonly string[]): string[] {
  const isRun = (path: string) => existsSync(runFiles(path).config);
  return paths.flatMap((path) => {
    if (!existsSync(path))
      throw new InputError(`${path} is not there`, { path }, "give run directories, or a folder of them");
    if (isRun(path)) return [path];
    const inner = statSync(path).isDirectory()
      ? readdirSync(path)
          .sort()
          .map((name) => join(path, name))
          .filter(isRun)
      : [];
    if (inner.length === 0)
      throw new InputError(
        `${path} holds no run`,
        { path },
        "a run directory has a config.toml; eigensam train makes one",
      );
    return inner;
  });
}

export function readRun(path: string): Run {
  const files = runFiles(path);
  const record = readRecord(path);
  if (record === undefined)
    throw new InputError(`${path} has no run.json yet`, { path }, `eigensam train --resume ${path}`);
  const metrics = readLines(files.metrics);
  const timings = readLines(files.timings);
  const kind = <T>(lines: readonly Line[], name: string) =>
    lines.filter((line) => line.kind === name) as unknown as T[];
  return {
    path,
    record,
    steps: kind(metrics, "step"),
    epochs: kind(metrics, "epoch"),
    refreshes: kind(metrics, "refresh"),
    times: kind(timings, "epoch"),
    refreshSeconds: kind<{ seconds: number }>(timings, "refresh").map(({ seconds }) => seconds),
  };
}

interface Line {
  readonly kind: string;
}

/** JSON lines; a last one that a kill cut short does not count. */
function readLines(path: string): Line[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n");
  const whole = lines.slice(0, -1);
  return whole.map((line, i) => {
    try {
      return JSON.parse(line) as Line;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw new InputError(`${path}: line ${i + 1} is no JSON`, { path, line: i + 1 }, "was the file edited?");
    }
  });
}
