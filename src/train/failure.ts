import { FileError, TrainingError } from "../util/errors.ts";
import { isSystemError, uncaughtFileError } from "../util/system-errors.ts";

/** Throws where a number that training stands on is infinite or not a number. */
export function assertFinite(value: number, what: string, step: number, epoch: number): void {
  if (!Number.isFinite(value))
    throw new DivergedError(`${what} is ${value} at step ${step} (epoch ${epoch})`, { step, epoch });
}

/** A number that training stands on became infinite or no number. */
export class DivergedError extends TrainingError {}

/** A system error while the run wrote its own files, told apart from one in code of the caller's. */
class WriteFailed extends Error {
  declare readonly cause: FileError;
}

/** A function that writes files of the run; its system errors are known as such. */
export const writing =
  <A extends readonly unknown[]>(write: (...args: A) => void) =>
  (...args: A): void => {
    try {
      write(...args);
    } catch (cause) {
      const failed = isSystemError(cause) ? uncaughtFileError(cause) : cause;
      throw failed instanceof FileError ? new WriteFailed(failed.what, { cause: failed }) : cause;
    }
  };

export interface Failure {
  /** "numbers": training diverged; "files": something could not be written; "other": neither. */
  readonly kind: "numbers" | "files" | "other";
  readonly error: Error;
}

/** An error of the loop with the step, the newest checkpoint and what to do next. */
export function explained(cause: unknown, step: number, checkpoint: string | undefined, run: string): Failure {
  const error = cause instanceof Error ? cause : new Error(String(cause));
  const saved = checkpoint === undefined ? "" : `the last good checkpoint is ${checkpoint}; `;
  const data = { step, checkpoint, run };
  if (error instanceof DivergedError)
    return {
      kind: "numbers",
      error: new DivergedError(
        error.message,
        { ...error.data, ...data },
        `${saved}train with a lower optimizer.lr or a schedule.warmup`,
      ),
    };
  if (!(error instanceof WriteFailed)) return { kind: "other", error };
  const { code } = error.cause.data;
  return {
    kind: "files",
    error: new TrainingError(
      `step ${step}: ${error.message}`,
      { ...data, code },
      `${saved}${code === "ENOSPC" || code === "EDQUOT" ? "free some space" : "make it writable"}, then eigensam train --resume ${run}`,
    ),
  };
}
