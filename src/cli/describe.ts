import { CommanderError } from "commander";
import { BugError, ConfigError, EigensamError } from "../util/errors.ts";
import { isSystemError, uncaughtFileError } from "../util/system-errors.ts";
import { misuse } from "./misuse.ts";

/** What a report of a bug needs. */
export interface Circumstances {
  readonly version: string;
  /** The words behind `eigensam`. */
  readonly args: readonly string[];
  readonly node: string;
  readonly platform: string;
  /** A bug may be theirs. */
  readonly plugins: readonly string[];
}

const FAILED = 1;
const MISUSE = 2;

export interface Description {
  /** One line of what is wrong, and a hint of what to do next. */
  readonly text: string;
  /** The exit status. */
  readonly status: number;
}

/** Any error in words for a person. Only what nothing else explains is called a bug. */
export function describe(error: unknown, circumstances: Circumstances): Description {
  if (error instanceof CommanderError)
    return { text: error.code === "commander.help" ? "" : misuse(error, circumstances.args), status: MISUSE };
  if (error instanceof ConfigError) return { text: error.message, status: MISUSE };
  if (error instanceof EigensamError && !(error instanceof BugError)) return { text: error.message, status: FAILED };
  if (isSystemError(error)) return { text: uncaughtFileError(error).message, status: FAILED };
  if (isMemoryError(error))
    return { text: "memory is used up\n  hint: lower data.batch or model.width, or give fewer data", status: FAILED };
  return { text: bug(error, circumstances), status: FAILED };
}

/** An array that Node.js cannot allocate. */
const isMemoryError = (error: unknown): boolean =>
  error instanceof RangeError && /array buffer allocation failed|invalid (typed )?array length/i.test(error.message);

function bug(error: unknown, { version, args, node, platform, plugins }: Circumstances): string {
  const what = error instanceof Error ? error.message : String(error);
  const whose = plugins.length > 0 ? `of eigensam or of a plugin (${plugins.join(", ")})` : "of eigensam";
  return [
    what,
    `  hint: this is a bug ${whose}; report it with the output of the same command under EIGENSAM_DEBUG=1, and:`,
    `  eigensam ${version}, Node.js ${node}, ${platform}; command: eigensam ${args.join(" ")}`,
  ].join("\n");
}
