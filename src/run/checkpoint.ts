import { existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { InputError } from "../util/errors.ts";
import { makeFolder, writeAtomic } from "../util/files.ts";
import { decodeSafetensors, encodeSafetensors, type Safetensors } from "../util/safetensors.ts";
import { runFiles } from "./files.ts";
import { parseJson } from "./lines.ts";

const count = z.int().min(0);

/** What the progress of every kind of run holds: its step, the lengths of its logs at that step, and the time spent. */
export const marks = { step: count, metricsBytes: count, timingsBytes: count, seconds: z.number() };

export type Marks = z.output<z.ZodObject<typeof marks>>;

/** Named vectors with their shapes, and short texts beside them. */
export type Vectors = Pick<Safetensors, "tensors"> & Partial<Safetensors>;

/** A checkpoint as it is read, before a kind of run makes its state of it. */
export interface Checkpoint<P> extends Safetensors {
  readonly path: string;
  readonly progress: P;
}

/** What tells checkpoints of one kind of run from others. */
export interface CheckpointKind<P extends Marks> {
  readonly kind: string;
  readonly progress: z.ZodType<P>;
}

const FORMAT = "eigensam-checkpoint-1";
const PATTERN = /^step-(\d+)\.safetensors$/;

/** Older ones are removed; two, so that one that is damaged costs little. */
const KEPT = 2;

/** Paths of the checkpoints of a run, oldest first. */
export function checkpointsOf(run: string): string[] {
  const { checkpoints } = runFiles(run);
  if (!existsSync(checkpoints)) return [];
  const names = readdirSync(checkpoints).filter((name) => PATTERN.test(name));
  return names.sort().map((name) => join(checkpoints, name));
}

/** Writes one checkpoint, atomically, and removes old ones. */
export function writeCheckpoint(run: string, kind: string, progress: Marks, { tensors, metadata }: Vectors): void {
  const { checkpoints } = runFiles(run);
  const path = join(checkpoints, `step-${String(progress.step).padStart(8, "0")}.safetensors`);
  makeFolder(checkpoints);
  const texts = { format: FORMAT, kind, progress: JSON.stringify(progress), ...metadata };
  writeAtomic(path, encodeSafetensors(tensors, texts));
  for (const old of checkpointsOf(run).slice(0, -KEPT)) rmSync(old);
}

/**
 * What `decode` makes of the newest checkpoint; undefined where a run was killed before its first. InputError where the newest is
 * damaged, naming the last good one, and where lines were recorded but their checkpoints are gone.
 */
export function readCheckpoint<P extends Marks, T>(
  run: string,
  kind: CheckpointKind<P>,
  decode: (checkpoint: Checkpoint<P>) => T,
): T | undefined {
  const paths = checkpointsOf(run);
  const newest = paths.pop();
  if (newest === undefined) {
    const { metrics, checkpoints } = runFiles(run);
    const recorded = statSync(metrics, { throwIfNoEntry: false });
    if (!recorded?.isFile() || recorded.size === 0) return undefined;
    const hint = `put its checkpoints back, or remove ${metrics} to start the run anew`;
    throw new InputError(`${run} was begun, but ${checkpoints} holds no checkpoint`, { run }, hint);
  }
  const read = (path: string): T | InputError => {
    try {
      return decode(readOne(path, kind));
    } catch (error) {
      if (error instanceof InputError) return error;
      throw error;
    }
  };
  const result = read(newest);
  if (!(result instanceof InputError)) return result;
  const good = paths.findLast((path) => !(read(path) instanceof InputError));
  const hint = good
    ? `the last good checkpoint is ${good}; remove the damaged file to resume from there`
    : "there is no other checkpoint: start the run anew";
  throw new InputError(result.what, { ...result.data, checkpoint: newest, good }, hint);
}

function readOne<P extends Marks>(path: string, { kind, progress }: CheckpointKind<P>): Checkpoint<P> {
  const file = decodeSafetensors(readFileSync(path), path);
  // Checkpoints of the first version, all of training, name no kind.
  const { format, kind: found = "train", progress: text } = file.metadata;
  if (format !== FORMAT || text === undefined)
    throw new InputError(`${path}: not a checkpoint of a run`, { path }, "weights alone cannot be resumed");
  if (found !== kind) throw new InputError(`${path}: a checkpoint of kind "${found}", not "${kind}"`, { path, found });
  return { ...file, path, progress: parseJson(text, progress, `${path}: progress`) };
}
