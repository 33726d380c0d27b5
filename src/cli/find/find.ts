import { stringify } from "smol-toml";
import { statusOf } from "../../sweep/status.ts";
import { sweepOfTexts, trialsOf } from "../../sweep/sweep.ts";
import { configToml, trainSettings } from "../../train/settings.ts";
import { trainRunOf } from "../../train/run-dir.ts";
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
  readonly epochs?: number;
  readonly seeds: readonly number[];
  readonly out: string;
  readonly json?: true;
}

/** The part of the training that a short run is, and its epochs at least. */
const [PART, FEWEST] = [1 / 5, 2];

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
  const epochs = options.epochs ?? Math.max(FEWEST, Math.round(config.train.epochs * PART));
  const base = configToml({ ...config, train: { ...config.train, epochs } });
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
  showFound(finder, trials, epochs, options.json === true);
  // A value with which a run diverges is an answer; showFound has thrown where there is no other.
  if (failed.length > 0) say(`${failed.length} runs failed, and their values count as worse than all others`);
  process.exitCode = 0;
}
