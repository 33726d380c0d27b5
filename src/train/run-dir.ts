import { runKind } from "../run/directory.ts";
import { metricsLine, progress, runRecord, timingsLine } from "./records.ts";
import { builtIn, type Registry } from "./registry.ts";
import { trainSettings } from "./settings.ts";

/** Run directories of training, with settings that the entries of a registry allow. */
export const trainRunOf = (registry: Registry) =>
  runKind({
    kind: "train",
    command: "eigensam train",
    settings: (toml, source) => trainSettings(registry).resolve(toml, [], source),
    record: runRecord,
    metrics: metricsLine,
    timings: timingsLine,
    progress,
  });

/** Run directories of training without plugins. */
export const trainRun = trainRunOf(builtIn);
