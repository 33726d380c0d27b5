import type { Setting } from "../../run/settings.ts";

const KEY = 26;

/** All settings, a line each, with what is allowed and the default. */
export function settingsHelp(settings: readonly Setting[]): string {
  const lines = settings.map(({ key, about, fallback, allowed }) => {
    const choice = allowed ? allowed.join(" | ") : "";
    const standard =
      fallback === undefined ? "" : `(default: ${Array.isArray(fallback) ? fallback.join(", ") || "none" : fallback})`;
    return `  ${key.padEnd(KEY)}  ${[about, choice && `[${choice}]`, standard].filter((part) => part !== "").join(" ")}`;
  });
  return ["", "Settings, as key=value or in the TOML file:", ...lines].join("\n");
}
