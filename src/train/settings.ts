import { settingsOf, settingsToml } from "../run/settings.ts";
import { type TrainConfig, trainSchema } from "./config.ts";

/** compat = "official" decides four other settings (paper.md, section 2, items 1 to 3, and the power iteration itself). */
const settled = trainSchema.transform((config): TrainConfig => {
  if (config.method.compat === "none") return config;
  return { ...config, method: { ...config.method, solver: "power", warmup: "usam", hessianBn: "running" } };
});

export const {
  list: settings,
  keys: settingKeys,
  resolve: resolveConfig,
  check: checkConfig,
} = settingsOf(settled, { command: "eigensam train", example: "model.width=16 or optimizer.lr=0.05" });

/** The resolved settings as TOML, from which resolveConfig makes the same settings again. */
export const configToml = (config: TrainConfig): string => settingsToml(config);
