import type { TrainConfig } from "../train/config.ts";

/** "eigen-sam-lr0.1-seed3": what sets a run apart, in the order of the keys that vary. */
export function nameOf(config: TrainConfig, keys: readonly string[]): string {
  const parts = keys.flatMap((key) => {
    const value = settingOf(config, key);
    if (value === undefined) return [];
    const text = [value].flat().map(textOf).join("+");
    return [key.endsWith(".name") ? text : `${shortKey(key, keys)}${text}`];
  });
  return parts.join("-").replace(/[^\w.+-]/g, "_");
}

/** A setting by dotted key; undefined where there is none. */
export const settingOf = (config: object, key: string): unknown =>
  key
    .split(".")
    .reduce<unknown>((inner, part) => (inner as Readonly<Record<string, unknown>> | undefined)?.[part], config);

/** 1e20 rather than all its digits. */
const textOf = (value: unknown): string =>
  typeof value === "number" && Math.abs(value) >= 1e6 ? value.toExponential() : String(value);

/** The last part of a key, or all of it where another ends alike. */
export function shortKey(key: string, keys: readonly string[]): string {
  const last = (dotted: string) => dotted.split(".").at(-1)!;
  return keys.filter((other) => last(other) === last(key)).length > 1 ? key : last(key);
}
