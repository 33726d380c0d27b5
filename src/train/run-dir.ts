import { runKind } from "../run/directory.ts";
import { metricsLine, progress, runRecord, timingsLine } from "./records.ts";
import { resolveConfig } from "./settings.ts";

/** Run directories of training. */
export const trainRun = runKind({
  kind: "train",
  command: "eigensam train",
  settings: (toml, source) => resolveConfig(toml, [], source),
  record: runRecord,
  metrics: metricsLine,
  timings: timingsLine,
  progress,
});
