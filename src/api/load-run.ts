import type { Dataset } from "../data/dataset.ts";
import { digestsOf, splitNames } from "../data/digest.ts";
import type { Method } from "../optim/method.ts";
import { checkpointsOf } from "../run/checkpoint.ts";
import { copyRun } from "../run/copy.ts";
import { assertSame, identityOf } from "../train/identity.ts";
import type { RunRecord } from "../train/records.ts";
import { builtIn, datasetOf, type Declared, extended, type Registry } from "../train/registry.ts";
import { weightsOfRun } from "../train/restore.ts";
import { trainRunOf } from "../train/run-dir.ts";
import { methodRecord } from "../train/run-record.ts";
import { firstState, problemOf } from "../train/session.ts";
import type { Format } from "../train/task.ts";
import { readWeights } from "../train/weights.ts";
import { ConfigError, DataError } from "../util/errors.ts";
import { datasetOfArrays } from "./arrays.ts";
import type { TrainOptions } from "./options.ts";
import { arraysEntry, assertKeys, isArrays, modelChoice, stepEntries, targetKind, usedOf } from "./resolve-options.ts";
import { type Trained, trainedOf } from "./trained.ts";

/** The parts of a run that only its program knew, as `train` was given them. */
export type RunParts<M extends Method = Method> = Pick<TrainOptions<M>, "loss" | "method" | "metrics"> &
  Partial<Pick<TrainOptions<M>, "data" | "model">>;

const PARTS = ["data", "model", "loss", "method", "metrics"] as const;

/**
 * Reads the trained network of a run directory: its last weights, or those of its newest checkpoint. Built-in data, models, methods
 * and losses are found by name; arrays and parts of your own are handed over as `train` was given them. Where the files of
 * built-in data are gone, everything but `curvature` without examples works. Nothing is written.
 *
 * @throws InputError where the folder is no run directory, or has no weights yet
 * @throws ConfigError where a part of your own is missing, or is another than the run's
 * @throws DataError where examples are others than the run's
 * @example
 * ```ts
 * const model: Network = (scope, x) => linear(scope.at("out"), x, 1);
 * const data = { train: { x: [[0], [1], [2], [3]], y: [[1], [3], [5], [7]] } };
 * await train({ data, model, method: "sgd", epochs: 9, dir: "runs/loaded" }).done;
 * const { status, steps } = await loadRun("runs/loaded", { data, model });
 * console.log(status, steps); // done 9
 * ```
 */
export async function loadRun<M extends Method = Method>(dir: string, parts: RunParts<M> = {}): Promise<Trained> {
  assertKeys(parts, PARTS, "loadRun");
  const record = trainRunOf(builtIn).readRecord(dir);
  const format = record?.data.format;
  const registry = await registryOf(parts, record);
  const kind = trainRunOf(registry);
  if (record) assertKnown(dir, record, registry);
  const config = kind.readConfig(dir);
  const dataset = await datasetOf(config, registry).catch((error) => {
    if (format === undefined || !(error instanceof DataError)) throw error;
    return withoutExamples(config.data.name, format);
  });
  assertExamples(dir, record, dataset);
  const problem = problemOf(config, dataset, registry, format);
  const { model, method } = problem;
  const info = JSON.stringify(methodRecord(method));
  if (record?.method && JSON.stringify(record.method) !== info)
    throw new ConfigError(`${dir} was trained with another method ${method.name}`, { dir }, "hand over the same");
  const weights = readWeights(weightsOfRun(dir), model);
  const { status, result } = record ?? { status: "stopped" as const, result: undefined };
  const metrics = kind.readMetrics(dir);
  const epoch = metrics.findLast((line) => line.kind === "epoch");
  // Steps beyond the newest checkpoint may be recorded where a run was killed; its weights do not have them.
  const recorded = (metrics.findLast((line) => line.kind === "step")?.step ?? -1) + 1;
  const { network } = identityOf(problem);
  const restored = () =>
    kind.restore(dir, ({ progress, metadata }) => {
      if (metadata.network !== undefined) assertSame(dir, { network: metadata.network }, { network });
      return progress.step;
    });
  const step = (checkpointsOf(dir).length > 0 ? restored() : undefined) ?? recorded;
  // Its weights are here, whatever it started from.
  const state = { ...firstState({ ...problem, startFile: undefined }), ...weights, step };
  const last = epoch ? { train: epoch.train, val: epoch.val } : null;
  const ended = { state, last };
  const outcome =
    status === "done" && result
      ? ({ ...ended, status, result } as const)
      : ({ ...ended, status: "stopped", step: state.step, checkpoint: undefined } as const);
  return trainedOf(problem, outcome, { dir, saveTo: (target) => copyRun(dir, target), seconds: result?.seconds ?? 0 });
}

/** What is built in, and the parts. Arrays are read for the loss of the run. */
async function registryOf<M extends Method>(parts: RunParts<M>, record: RunRecord | undefined): Promise<Registry> {
  const { data, model, loss } = parts;
  const arrays =
    data !== undefined && isArrays(data)
      ? await datasetOfArrays(data, targetKind(loss, lossNameOf(record)))
      : undefined;
  const targets = arrays?.targets ?? record?.data.format?.targets ?? ({ kind: "labels", classes: 1 } as const);
  const own = arrays ? arraysEntry(arrays) : data === undefined ? undefined : usedOf(data);
  const network = model === undefined ? undefined : modelChoice(model).use;
  const declared: Declared[] = [
    ...stepEntries(parts, targets).declared,
    ...(network ? [network] : []),
    ...(own && builtIn.datasets[own.name] !== own ? [own] : []),
  ];
  return extended(builtIn, declared);
}

const lossNameOf = (record: RunRecord | undefined): string | undefined => {
  const name = record?.config.train.loss;
  return typeof name === "string" ? name : undefined;
};

/** Throws where the run has a part that is neither built in nor handed over. */
function assertKnown(dir: string, record: RunRecord, { methods, models, datasets, losses }: Registry): void {
  const { method, model, data } = record.config;
  const loss = lossNameOf(record);
  const named = [
    ["method", method.name, methods],
    ["model", model.name, models],
    ["data", data.name, datasets],
    ...(loss === undefined ? [] : [["loss", loss, losses] as const]),
  ] as const;
  for (const [part, name, known] of named)
    if (!(name in known))
      throw new ConfigError(
        `${dir} has the ${part} ${name}, which is not built in`,
        { dir, part, name },
        `hand it over as train was given it: loadRun("${dir}", { ${part} })`,
      );
}

function assertExamples(dir: string, record: RunRecord | undefined, dataset: Dataset): void {
  const [found, own] = [record?.data.digests ?? {}, digestsOf(dataset)];
  for (const part of splitNames)
    if (found[part] !== undefined && own[part] !== undefined && found[part] !== own[part])
      throw new DataError(
        `${dir}: the ${part} examples of ${dataset.name} are not those of the run`,
        { dir, part },
        "put them back, or hand over the same; evaluate takes any others",
      );
}

/** Stands for data whose files are gone: the network needs none. */
const withoutExamples = (name: string, format: Format): Dataset => ({
  ...format,
  name,
  train: {
    stepsPerEpoch: 0,
    batch: 1,
    like: format.dtype === "u8" ? new Uint8Array() : format.dtype === "i32" ? new Int32Array() : new Float32Array(),
    open: async function* () {},
  },
});
