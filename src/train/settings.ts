import { type TrainConfig, trainSchema } from "./config.ts";
import { type Setting, settingsOf, settingsToml } from "../run/settings.ts";

const known = settingsOf(trainSchema, {
  command: "eigensam train",
  example: "model.width=16 or optimizer.lr=0.05",
});

/** All settings in the schema's order, by dotted key. */
export const settings: readonly Setting[] = known.list;

export const settingKeys: readonly string[] = known.keys;

/** The settings of a TOML text and of dotted `key=value` arguments, which win; defaults fill the rest. */
export const resolveConfig = (toml: string, overrides: readonly string[], source?: string): TrainConfig =>
  settled(known.resolve(toml, overrides, source));

/** The same from a plain object. */
export const checkConfig = (table: unknown, source?: string): TrainConfig => settled(known.check(table, source));

/** The resolved settings as TOML, from which resolveConfig makes the same settings again. */
export const configToml = (config: TrainConfig): string => settingsToml(config);

/** compat = "official" decides four other settings (paper.md, section 2, items 1 to 3, and the power iteration itself). */
function settled(config: TrainConfig): TrainConfig {
  if (config.method.compat === "none") return config;
  return { ...config, method: { ...config.method, solver: "power", warmup: "usam", hessianBn: "running" } };
}
