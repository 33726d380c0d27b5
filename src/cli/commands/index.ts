import { bench } from "./bench.ts";
import type { CliCommand } from "./command.ts";
import { doctor } from "./doctor.ts";
import { evaluate } from "./eval.ts";
import { exportModel } from "./export.ts";
import { train } from "./train.ts";

/** Every subcommand, in the order of the help text. */
export const commands: readonly CliCommand[] = [train, evaluate, exportModel, bench, doctor];
