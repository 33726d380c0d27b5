import { stringify } from "smol-toml";
import { statusOf } from "../../sweep/status.ts";
import { sweepOfTexts, trialsOf } from "../../sweep/sweep.ts";
import { configToml, trainSettings } from "../../train/settings.ts";
import { trainRunOf } from "../../train/run-dir.ts";
import { datasetOf } from "../../train/registry.ts";
import type { TrainConfig } from "../../train/config.ts";
import { isSplit } from "../../data/dataset.ts";
import { partsOf } from "../../data/split.ts";
import { ConfigError } from "../../util/errors.ts";
import { configOf, givenIn } from "../config-file.ts";
import { registry } from "../plugins.ts";
import type { PoolOptions } from "../run-tasks.ts";
import { makeRuns } from "../sweep/run.ts";
import { say } from "../ui.ts";
import { type Finder, gridOf } from "./finders.ts";
import { showFound } from "./show.ts";

export interface FindOptions extends PoolOptions {
  readonly from?: number;
  readonly to?: number;
  readonly points?: number;
  /** Training examples of each run. */
  readonly examples?: number;
  readonly seeds: readonly number[];
  readonly out: string;
  readonly json?: true;
}

/**
 * The part of the training examples that a short run has, and its mini-batches at least. It keeps its epochs: fewer of them would end before the
 * training set is fitted, which is what a radius acts on (docs/guide/train.md has the measurement).
 */
const [PART, FEWEST] = [1 / 5, 4];

async function fewerExamples(config: TrainConfig): Promise<number> {
  const dataset = await datasetOf(config, registry());
  const { train } = partsOf(dataset, config.data, config.seed, dataset.targets);
  if (!isSplit(train))
    throw new ConfigError(
      `data set ${config.data.name} comes from a stream, and short runs take a part of the examples`,
      { data: config.data.name },
      "choose a data set in memory",
    );
  return Math.min(train.count, Math.max(Math.round(PART * train.count), FEWEST * config.data.batch));
}

/** Trains shortly with each value of a setting, as a sweep of its own, and says which is best. */
export async function find(finder: Finder, options: FindOptions, args: readonly string[]): Promise<void> {
  const { key, zero } = finder;
  const settings = trainSettings(registry());
  const config = configOf(givenIn(args), settings);
  const around = finder.of(config);
  if (around === undefined || around <= 0)
    throw new ConfigError(
      around === undefined
        ? `method ${config.method.name} has no ${key}`
        : `${key} is ${around}, and values are tried around it`,
      { key, method: config.method.name },
      around === undefined
        ? "choose a method that perturbs, such as method.name=sam"
        : "leave it out, or give a value above 0",
    );
  if (config.data.validation === 0)
    throw new ConfigError(
      "data.validation is 0, and values are compared on validation examples",
      { validation: 0 },
      "leave it out, or set a part above 0",
    );
  const [least, most] = finder.octaves.map((octave) => around * 2 ** octave) as [number, number];
  const { from = least, to = most, points = finder.octaves[1] - finder.octaves[0] + 1 } = options;
  if (from >= to || points < 3)
    throw new ConfigError(
      `values from ${from} to ${to} in ${points} points`,
      { from, to, points },
      "give --from below --to, and 3 points or more",
    );
  const values = [...(zero === undefined ? [] : [0]), ...gridOf(from, to, points)];
  const examples = options.examples ?? (await fewerExamples(config));
  const base = configToml({ ...config, data: { ...config.data, examples } });
  const [table, name] = key.split(".") as [string, string];
  const toml = stringify({
    config: "config.toml",
    seeds: options.seeds,
    measure: "val.loss",
    vary: { [table]: { [name]: values } },
  });
  const sweep = await makeRuns(
    sweepOfTexts({ name: `${name}-find`, toml, base }, options.out, settings, `the search of ${key}`),
    { ...options, json: options.json === true },
  );
  if (sweep === undefined) return;
  const trials = await statusOf(sweep, trialsOf(sweep), trainRunOf(registry()));
  const failed = trials.flatMap(({ runs }) => runs.filter(({ state }) => state === "failed"));
  showFound(finder, trials, { examples, epochs: config.train.epochs }, options.json === true);
  // A value with which a run diverges is an answer; showFound has thrown where there is no other.
  if (failed.length > 0) say(`${failed.length} runs failed, and their values count as worse than all others`);
  process.exitCode = 0;
}
