import type { Dataset } from "../data/dataset.ts";
import type { Model } from "../nn/scope.ts";
import { defaultThreads } from "../runtime/device.ts";
import { ortVersion } from "../runtime/node-session.ts";
import { packageVersion } from "../util/package.ts";
import type { TrainConfig } from "./config.ts";
import type { RunRecord } from "./records.ts";

/** What run.json says from the start of a run. */
export const newRecord = (
  config: TrainConfig,
  dataset: Dataset,
  counts: { readonly train: number; readonly val: number },
  model: Model,
): Omit<RunRecord, "kind" | "version" | "pid" | "status"> => ({
  config,
  model: { name: config.model.name, parameters: model.parameters.size },
  data: { name: dataset.name, classes: dataset.classes, ...counts, test: dataset.test.count },
  device: config.device,
  threads: config.threads || defaultThreads(),
  versions: { eigensam: packageVersion, node: process.versions.node, onnxruntime: ortVersion },
  startedAt: new Date().toISOString(),
});
