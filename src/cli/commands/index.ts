import { bench } from "./bench.ts";
import type { CliCommand } from "./command.ts";
import { doctor } from "./doctor.ts";

/** Every subcommand, in the order of the help text. */
export const commands: readonly CliCommand[] = [bench, doctor];
