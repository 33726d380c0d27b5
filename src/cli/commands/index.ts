import { bench } from "./bench.ts";
import type { CliCommand } from "./command.ts";
import { data } from "./data.ts";
import { demo } from "./demo.ts";
import { doctor } from "./doctor.ts";
import { evaluate } from "./eval.ts";
import { exportModel } from "./export.ts";
import { report } from "./report.ts";
import { sde } from "./sde.ts";
import { train } from "./train.ts";

/** Every subcommand, in the order of the help text. */
export const commands: readonly CliCommand[] = [train, sde, evaluate, exportModel, report, data, demo, bench, doctor];
