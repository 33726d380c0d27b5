import { ConfigError } from "../util/errors.ts";
import { resolve as resolvePath } from "node:path";
import type { LoadOptions } from "../data/dataset.ts";
import { type TrainConfig, settled, trainSchema, unreadKeys } from "./config.ts";
import { withDecisions } from "./official.ts";
import { unreadNumbers } from "./defaults.ts";
import { builtIn, type Registry } from "./registry.ts";
import { type RunSettings, settingsOf, settingsToml } from "../run/settings.ts";

/** The settings of training runs. */
export interface TrainSettings extends RunSettings<TrainConfig> {
  /** Those of a plain object. */
  check(table: unknown, source?: string): TrainConfig;
}

/** Settings of earlier versions, and what they are called now. */
const RENAMED = { "train.diagnosticsEvery": "probe.every" } as const;

/** The settings that the entries of a registry allow. */
export function trainSettings(registry: Registry): TrainSettings {
  const schema = trainSchema(registry);
  const { list, resolve, check } = settingsOf(schema, {
    command: "eigensam train",
    example: "model.width=16 or optimizer.lr=0.05",
    complete: (table) => withDecisions(table, registry),
    extensible: ["model.name", "data.name", "method.name", "train.loss"],
    renamed: RENAMED,
  });
  return {
    list,
    resolve: (...args) => located(startLocated(settled(resolve(...args), registry, schema))),
    unread: (...args) => {
      const { method, optimizer } = resolve(...args);
      return [...unreadKeys(method, registry), ...unreadNumbers(optimizer)];
    },
    check: (...args) => located(startLocated(settled(check(...args), registry, schema))),
  };
}

function absolute(key: string, path: string): string {
  if (path === "")
    throw new ConfigError(`${key} is empty`, { key }, "give a path; is a variable of the shell not set?");
  return resolvePath(path);
}

/** The settings with absolute paths of data, so that a run finds its data from any folder. */
export const located = <C extends { readonly data: LoadOptions }>(config: C): C => ({
  ...config,
  data: {
    ...config.data,
    ...Object.fromEntries(
      (["dir", "images", "labels", "testImages", "testLabels", "file", "testFile", "path"] as const).flatMap((key) => {
        const path = config.data[key];
        return path === undefined ? [] : [[key, absolute(`data.${key}`, path)]];
      }),
    ),
  },
});

/** The same of the file to start from. */
const startLocated = (config: TrainConfig): TrainConfig => {
  const { weights } = config.model;
  return weights === undefined
    ? config
    : { ...config, model: { ...config.model, weights: absolute("model.weights", weights) } };
};

const standard = trainSettings(builtIn);

export const { resolve: resolveConfig, check: checkConfig, list: settings } = standard;

/** The resolved settings as TOML, from which `resolve` makes the same settings again. */
export const configToml = (config: TrainConfig): string => settingsToml(config);
