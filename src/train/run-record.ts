import { isSplit } from "../data/dataset.ts";
import { digestsOf } from "../data/digest.ts";
import type { Method } from "../optim/method.ts";
import { infoOf } from "../optim/metrics/metric.ts";
import { defaultThreads } from "../runtime/device.ts";
import { ortVersion } from "../runtime/node-session.ts";
import { packageVersion } from "../util/package.ts";
import type { MethodRecord, RunRecord } from "./records.ts";
import type { Problem } from "./session.ts";

/** What run.json keeps of a method. */
export const methodRecord = ({ name, title, summary, colour, needs }: Method): MethodRecord => ({
  name,
  title,
  summary,
  eigenvector: needs.v === true,
  ...(colour === undefined ? {} : { colour }),
});

/** What run.json says from the start of a run. */
export function newRecord({
  config,
  dataset,
  method,
  metrics,
  train,
  val,
  model,
  task,
  startFile,
}: Problem): Omit<RunRecord, "kind" | "version" | "pid" | "status"> {
  const { targets } = dataset;
  return {
    config,
    model: {
      name: config.model.name,
      parameters: model.parameters.size,
      ...(startFile?.digest === undefined ? {} : { start: startFile.digest }),
    },
    method: methodRecord(method),
    metrics: metrics.filter(({ eigenvector }) => !eigenvector || method.needs.v === true).map(infoOf),
    data: {
      name: dataset.name,
      ...(targets.kind === "labels" ? { classes: targets.classes } : {}),
      train: isSplit(train) ? train.count : train.stepsPerEpoch * train.batch,
      val: val?.count ?? 0,
      test: dataset.test?.count ?? 0,
      format: task.format,
      digests: digestsOf(dataset),
    },
    device: config.device,
    threads: config.threads || defaultThreads(),
    versions: { eigensam: packageVersion, node: process.versions.node, onnxruntime: ortVersion },
    startedAt: new Date().toISOString(),
  };
}
