/** Every error the library throws on purpose: what was given, what is allowed, and what to do next. */
export class EigensamError extends Error {
  /** The message without the hint. */
  readonly what: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly hint: string | undefined;

  constructor(message: string, data: Readonly<Record<string, unknown>> = {}, hint?: string) {
    super(hint === undefined ? message : `${message}\n  hint: ${hint}`);
    this.name = new.target.name;
    this.what = message;
    this.data = data;
    this.hint = hint;
  }
}

/** Shapes, axes or dtypes that an operation cannot take. */
export class ShapeError extends EigensamError {}

/** A derivative that does not exist, or was asked of something that is not a scalar. */
export class DerivativeError extends EigensamError {}

/** A graph that a target cannot run (an operator it lacks, a dtype it does not know). */
export class LoweringError extends EigensamError {}

/** A device that is not there, or a session that could not be made. */
export class DeviceError extends EigensamError {}

/** Values handed to an executable or a file that do not fit what was declared. */
export class InputError extends EigensamError {}

/** A file or folder that the system does not let be read or written; `data` has its `path` and the system's `code`. */
export class FileError extends InputError {
  /** The system's code, as Node.js's own errors have it. */
  get code(): unknown {
    return this.data.code;
  }
}

/** A setting or argument outside what is allowed. */
export class ConfigError extends EigensamError {}

/** Training that cannot continue: a loss that is not a number, a disk that is full. */
export class TrainingError extends EigensamError {}

/** A data set that is missing, damaged or not what it claims to be. */
export class DataError extends EigensamError {}

/** A method, model, data set or metric that is declared in a way that cannot work. */
export class DeclarationError extends EigensamError {}

/** Something that no input should bring about: a mistake of ours. */
export class BugError extends EigensamError {}
