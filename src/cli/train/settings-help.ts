import { solvers } from "../../optim/eigenvector.ts";
import { optimizers } from "../../optim/optimizers.ts";
import { schedules } from "../../optim/schedules.ts";
import type { Setting } from "../../run/settings.ts";
import type { Registry } from "../../train/registry.ts";

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

/** What the names stand for that settings choose among, a line each. */
export function entriesHelp({ methods, models, datasets, losses, metrics }: Registry): string {
  const measured = Object.values(metrics).map(({ name, title, symbol }) => [name, `${title}, ${symbol}`] as const);
  return [
    ...listOf("Methods, method.name:", summaries(methods)),
    ...listOf("Models, model.name:", summaries(models)),
    ...listOf("Data sets, data.name:", summaries(datasets)),
    ...listOf("Losses, train.loss:", summaries(losses)),
    ...listOf("Solvers for the top eigenvector v, method.solver:", summaries(solvers)),
    ...listOf("Optimizers, optimizer.name:", summaries(optimizers)),
    ...listOf("Learning-rate schedules, schedule.name:", summaries(schedules)),
    ...listOf("Numbers of every step in metrics.jsonl:", measured),
  ].join("\n");
}

type Line = readonly [name: string, summary: string];

const summaries = (entries: Readonly<Record<string, { readonly summary: string }>>): Line[] =>
  Object.entries(entries).map(([name, { summary }]) => [name, summary]);

function listOf(title: string, lines: readonly Line[]): string[] {
  const width = Math.max(...lines.map(([name]) => name.length));
  return ["", title, ...lines.map(([name, summary]) => `  ${name.padEnd(width)}  ${summary}`)];
}
