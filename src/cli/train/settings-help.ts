import { initSchemes } from "../../nn/init.ts";
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
    return described(key, KEY, [about, choice && `[${choice}]`, standard].filter((part) => part !== "").join(" "));
  });
  return ["", "Settings, as key=value or in the TOML file:", ...lines].join("\n");
}

/** What the names stand for that settings choose among, a line each. */
export function entriesHelp({ methods, models, datasets, losses, metrics }: Registry): string {
  const measured = Object.values(metrics).map(({ name, title, symbol }) => [name, `${title}, ${symbol}`] as const);
  return [
    ...listOf("Methods, method.name:", summaries(methods)),
    ...listOf("Models, model.name:", summaries(models)),
    ...listOf("Initial weights, model.init:", summaries(initSchemes)),
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
  return ["", title, ...lines.map(([name, summary]) => described(name, width, summary))];
}

/** Without a terminal, lines of help have at most so many characters. */
const COLUMNS = 100;
const NARROWEST = 30;

/** A name and what it is, continued beneath itself. */
function described(name: string, width: number, text: string): string {
  const room = Math.max((process.stdout.columns ?? COLUMNS) - width - 4, NARROWEST);
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1)!;
    if (line !== "" && line.length + 1 + word.length > room) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return `  ${name.padEnd(width)}  ${lines.join(`\n${" ".repeat(width + 4)}`)}`;
}
