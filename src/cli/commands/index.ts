import { bench } from "./bench.ts";
import { curvature } from "./curvature.ts";
import type { CliCommand } from "./command.ts";
import { data } from "./data.ts";
import { demo } from "./demo.ts";
import { doctor } from "./doctor.ts";
import { evaluate } from "./eval.ts";
import { exportModel } from "./export.ts";
import { paper } from "./paper.ts";
import { report } from "./report.ts";
import { sde } from "./sde.ts";
import { train } from "./train.ts";

/** Every subcommand, in the order of the help text. */
export const commands: readonly CliCommand[] = [
  train,
  evaluate,
  exportModel,
  curvature,
  sde,
  report,
  paper,
  data,
  demo,
  bench,
  doctor,
];
