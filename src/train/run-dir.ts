import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ConfigError, InputError } from "../util/errors.ts";
import { writeAtomic } from "../util/files.ts";
import type { StepMetricInfo } from "../optim/metrics/metric.ts";
import type { TrainConfig } from "./config.ts";
import type { Score } from "./evaluate.ts";
import { configToml, resolveConfig } from "./settings.ts";

export type RunStatus = "running" | "done" | "stopped" | "failed";

export interface RunResult {
  readonly epochs: number;
  readonly train: Score;
  readonly val: Score | null;
  /** Null where the data set has no test examples. */
  readonly test: Score | null;
  readonly seconds: number;
}

export interface MethodInfo {
  readonly name: string;
  readonly title: string;
  readonly summary: string;
  /** Whether v is part of the formula. */
  readonly eigenvector: boolean;
  readonly colour?: string;
}

/** run.json: what was run, on what, and how it ended. */
export interface RunRecord {
  readonly version: 1;
  readonly config: TrainConfig;
  readonly model: { readonly name: string; readonly parameters: number };
  /** What reports call the method, and how they draw it. */
  readonly method?: MethodInfo;
  /** The step metrics in metrics.jsonl. */
  readonly metrics?: readonly StepMetricInfo[];
  readonly data: {
    readonly name: string;
    /** Undefined where targets are real-valued. */
    readonly classes?: number;
    readonly train: number;
    readonly val: number;
    readonly test: number;
  };
  readonly device: string;
  readonly threads: number;
  readonly versions: Readonly<Record<"eigensam" | "node" | "onnxruntime", string>>;
  readonly status: RunStatus;
  /** The process at work, while the status is "running". */
  readonly pid: number;
  readonly startedAt: string;
  readonly result?: RunResult;
  readonly error?: string;
}

export const runFiles = (run: string) => ({
  config: join(run, "config.toml"),
  record: join(run, "run.json"),
  metrics: join(run, "metrics.jsonl"),
  timings: join(run, "timings.jsonl"),
  weights: join(run, "weights.safetensors"),
  best: join(run, "best.safetensors"),
});

/** A new run directory with its settings; one that holds anything already is refused. */
export function createRun(run: string, config: TrainConfig): void {
  if (existsSync(run) && readdirSync(run).length > 0)
    throw new ConfigError(
      `${run} is not empty`,
      { run },
      existsSync(runFiles(run).config) ? `eigensam train --resume ${run} goes on with it` : "choose another --run-dir",
    );
  mkdirSync(join(run, "checkpoints"), { recursive: true });
  writeAtomic(runFiles(run).config, configToml(config));
}

/** The settings of a run directory. */
export function readRunConfig(run: string): TrainConfig {
  const { config } = runFiles(run);
  if (!existsSync(config))
    throw new InputError(`${run} is no run directory: it has no config.toml`, { run }, "eigensam train makes one");
  return resolveConfig(readFileSync(config, "utf8"), [], config);
}

export const writeRecord = (run: string, record: RunRecord): void =>
  writeAtomic(runFiles(run).record, `${JSON.stringify(record, null, 2)}\n`);

/** run.json, or undefined where a run was killed before it could write one. */
export function readRecord(run: string): RunRecord | undefined {
  const { record } = runFiles(run);
  return existsSync(record) ? (JSON.parse(readFileSync(record, "utf8")) as RunRecord) : undefined;
}

/** Throws where another process is still at work in the directory, or the run is complete. */
export function assertResumable(run: string): void {
  const record = readRecord(run);
  if (record?.status === "done")
    throw new ConfigError(
      `${run} is complete after ${record.result?.epochs} epochs`,
      { run },
      "eigensam eval scores it",
    );
  if (record?.status === "running" && record.pid !== process.pid && isAlive(record.pid))
    throw new ConfigError(
      `${run} is being trained by process ${record.pid}`,
      { run, pid: record.pid },
      "stop it first",
    );
}

/** Whether a process of this number is at work. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
