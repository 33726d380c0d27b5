import { existsSync, lstatSync, readdirSync, readFileSync, rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { ConfigError, InputError } from "../util/errors.ts";
import { createAtomic, isTemporary, makeFolder, writeAtomic } from "../util/files.ts";
import { type Claim, claimRun } from "./claim.ts";
import { type Checkpoint, type CheckpointKind, type Marks, readCheckpoint, type Vectors } from "./checkpoint.ts";
import { runFiles } from "./files.ts";
import { parseJson, readLines } from "./lines.ts";
import { openRecorder } from "./recorder.ts";
import { settingsToml } from "./settings.ts";

/** What run.json holds for every kind of run. */
export const recordHead = {
  version: z.literal(1),
  /** The process that wrote it; whether one is at work, its claim tells (claim.ts). */
  pid: z.int(),
  status: z.enum(["running", "done", "stopped", "failed"]),
  error: z.string().optional(),
};

export type RecordHead = z.output<z.ZodObject<typeof recordHead>> & { readonly kind: string };

export type RunStatus = RecordHead["status"];

/** A kind of run: settings C, a record R, lines of metrics M and timings T, and progress P, each read by a schema of its writer. */
export interface RunKindSpec<C, R, M, T, P extends Marks> extends CheckpointKind<P> {
  /** The command that makes such runs, and resumes them with --resume. */
  readonly command: string;
  /** Settings of the text of a config.toml. */
  readonly settings: (toml: string, source: string) => C;
  /** run.json. */
  readonly record: z.ZodType<R>;
  /** A line of metrics.jsonl. */
  readonly metrics: z.ZodType<M>;
  /** A line of timings.jsonl. */
  readonly timings: z.ZodType<T>;
}

/** What can be done with run directories of one kind. */
export function runKind<C extends object, R extends RecordHead, M, T, P extends Marks>(
  spec: RunKindSpec<C, R, M, T, P>,
) {
  const { kind, command } = spec;

  function notEmpty(run: string): ConfigError {
    const hint = isRun(run) ? `${command} --resume ${run} resumes it` : "choose another folder";
    return new ConfigError(`${run} is not empty`, { run }, hint);
  }

  /** Makes a run directory with its settings; false where another process has just put settings there. */
  function made(run: string, config: C): boolean {
    // What a start that was killed left, or another one is writing now, is neither in the way nor to be removed.
    if (existsSync(run) && readdirSync(run).some((name) => !isLeftover(run, name))) throw notEmpty(run);
    makeFolder(run);
    return createAtomic(runFiles(run).config, settingsToml(config));
  }

  /** Makes a run directory with its settings. ConfigError where the folder holds anything already. */
  function create(run: string, config: C): void {
    if (!made(run, config)) throw notEmpty(run);
  }

  const hasSettings = (run: string, config: C): boolean => settingsToml(readConfig(run)) === settingsToml(config);

  const otherSettings = (run: string): ConfigError =>
    new ConfigError(`${run} was made with other settings`, { run }, "choose another folder, or remove it");

  /** ConfigError where a run was made with other settings. */
  function assertSettings(run: string, config: C): void {
    if (!hasSettings(run, config)) throw otherSettings(run);
  }

  /**
   * Makes one, or keeps one that has the same settings. Whether it made one. A start that failed has left settings alone, which are
   * replaced. ConfigError where the settings of a run that has begun differ.
   */
  async function ensure(run: string, config: C): Promise<boolean> {
    if (!existsSync(runFiles(run).config) && made(run, config)) return true;
    if (hasSettings(run, config)) return false;
    if (hasBegun(run) || existsSync(runFiles(run).claims)) throw otherSettings(run);
    // Under a claim, or they might be of a process that begins with them at this moment.
    const claim = await claimRun(run);
    try {
      if (hasBegun(run)) throw otherSettings(run);
      writeAtomic(runFiles(run).config, settingsToml(config));
    } finally {
      claim.release(!hasBegun(run));
    }
    return false;
  }

  /** Takes back what `create` made, where a start failed before the run has begun. What others put there stays. */
  function discard(run: string, settings: C): void {
    const { config, claims } = runFiles(run);
    removeIfEmpty(claims);
    // A claim is of a process that goes on with the same settings.
    if (hasBegun(run) || existsSync(claims)) return;
    // Another process may have put its own there since.
    if (existsSync(config) && readFileSync(config, "utf8") === settingsToml(settings)) rmSync(config, { force: true });
    if (existsSync(run) && readdirSync(run).length === 0) rmdirSync(run);
  }

  function assertKind(run: string): void {
    const found = kindOf(run) ?? kind;
    const hint = `use the command that made it; ${command} makes runs of kind "${kind}"`;
    if (found !== kind) throw new InputError(`${run} is a run of kind "${found}", not "${kind}"`, { run, found }, hint);
  }

  /** InputError where the folder is no run directory of this kind. */
  function readConfig(run: string): C {
    const { config } = runFiles(run);
    if (!existsSync(config))
      throw new InputError(`${run} is no run directory: it has no config.toml`, { run }, `${command} makes one`);
    assertKind(run);
    const text = readFileSync(config, "utf8");
    // Of defaults alone, it would be another run.
    if (text.trim() === "")
      throw new InputError(`${config} is empty`, { run, config }, "put it back; run.json has the settings too");
    return spec.settings(text, config);
  }

  /** run.json, or undefined where a run was killed before it could write one. InputError where it is damaged or of another kind. */
  function readRecord(run: string): R | undefined {
    const { record } = runFiles(run);
    if (!existsSync(record)) return undefined;
    assertKind(run);
    const hint = `was it edited, or written by another version? Remove it, and ${command} --resume ${run} writes a new one`;
    return parseJson(readFileSync(record, "utf8"), spec.record, record, hint);
  }

  /** ConfigError where the run is complete. */
  function assertResumable(run: string): void {
    if (readRecord(run)?.status === "done")
      throw new ConfigError(`${run} is complete`, { run }, "its results are in run.json");
  }

  /**
   * Does the work of a run of these settings while no other process can. The run is read after it was claimed, or what was read might
   * be old. ConfigError where another process is at work on it or has given it other settings, or it is complete; InputError where a
   * part of it is a link.
   */
  async function alone<T>(
    run: string,
    config: C,
    onWait: (message: string) => void,
    work: (claim: Claim) => Promise<T>,
  ): Promise<T> {
    assertWithin(run);
    const claim = await claimRun(run, { onWait });
    let complete = true;
    try {
      assertResumable(run);
      // What has begun knows its settings by its checkpoints, which say what may differ.
      if (!hasBegun(run)) assertSettings(run, config);
      complete = false;
      const result = await work(claim);
      complete = readRecord(run)?.status === "done";
      return result;
    } finally {
      claim.release(complete || !hasBegun(run));
    }
  }

  /** InputError where a line is damaged, or a complete run has no metrics.jsonl. */
  function readMetrics(run: string): M[] {
    const { metrics } = runFiles(run);
    if (readRecord(run)?.status === "done" && !existsSync(metrics))
      throw new InputError(`${run} is complete, but ${metrics} is missing`, { run }, "put it back, or run it anew");
    return readLines(metrics, spec.metrics);
  }

  return {
    kind,
    create,
    ensure,
    assertSettings,
    discard,
    readConfig,
    readRecord,
    /** Replaces run.json, whole or not at all. */
    writeRecord: (run: string, record: Omit<R, "kind" | "version" | "pid">): void => {
      const whole = { kind, version: 1, pid: process.pid, ...record };
      writeAtomic(runFiles(run).record, `${JSON.stringify(whole, null, 2)}\n`);
    },
    assertResumable,
    alone,
    readMetrics,
    readTimings: (run: string): T[] => readLines(runFiles(run).timings, spec.timings),
    /** What `decode` makes of the newest checkpoint, or undefined where there is none yet (readCheckpoint). */
    restore: <S>(run: string, decode: (checkpoint: Checkpoint<P>) => S): S | undefined =>
      readCheckpoint(run, spec, decode),
    /** Opens the logs for a run that begins, or resumes, at `from`; `vectorsOf` are those of a checkpoint. */
    open: <S>(run: string, from: P, vectorsOf: (state: S) => Vectors) =>
      openRecorder<M, T, S, P>(run, kind, from, vectorsOf),
  };
}

/** Whether a folder is a run directory, of whatever kind. */
export const isRun = (path: string): boolean => existsSync(runFiles(path).record) || existsSync(runFiles(path).config);

/** Whether a start that went no further leaves this: half-written settings, a folder for claims. */
const isLeftover = (run: string, name: string): boolean =>
  isTemporary(name) || (join(run, name) === runFiles(run).claims && readdirSync(runFiles(run).claims).length === 0);

/** One that is claiming a run makes the folder again. */
function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    if (!["ENOENT", "ENOTDIR", "ENOTEMPTY", "EEXIST"].includes((error as NodeJS.ErrnoException).code ?? ""))
      throw error;
  }
}

/** A directory from elsewhere must not make a run write, or remove, what lies outside of it. */
function assertWithin(run: string): void {
  const link = Object.values(runFiles(run)).find((path) =>
    lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink(),
  );
  if (link !== undefined)
    throw new InputError(
      `${link} is a link, and a run writes within its own directory alone`,
      { run, link },
      "put there what it points to; the directory itself may be a link",
    );
}

/** Whether a run left more than its settings. */
function hasBegun(run: string): boolean {
  const { record, metrics, checkpoints } = runFiles(run);
  return [record, metrics, checkpoints].some((path) => existsSync(path));
}

/** The kind that run.json names; undefined where there is no run.json, or none that can be read. */
export function kindOf(run: string): string | undefined {
  const { record } = runFiles(run);
  if (!existsSync(record)) return undefined;
  try {
    const { kind = "train" }: { readonly kind?: unknown } = Object(JSON.parse(readFileSync(record, "utf8")));
    return typeof kind === "string" ? kind : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
