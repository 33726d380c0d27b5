import { ConfigError } from "../../util/errors.ts";
import { excerpt } from "../../util/excerpt.ts";
import { nearest } from "../../util/nearest.ts";
import type { RunSummary, SettingValue } from "./summary.ts";

/** How a value is shown. */
export type Form = "text" | "percent" | "loss" | "number" | "seconds" | "date";

/** What is known of a run besides its settings. */
interface Field {
  readonly title: string;
  readonly form: Form;
  of(run: RunSummary): SettingValue | undefined;
}

const setting =
  (key: string) =>
  ({ settings }: RunSummary): SettingValue | undefined =>
    settings.get(key);

/** By the names that filters, columns and JSON have; a new one is one entry. */
export const fields = {
  name: { title: "name", form: "text", of: ({ name }) => name },
  path: { title: "path", form: "text", of: ({ path }) => path },
  kind: { title: "kind", form: "text", of: ({ kind }) => kind },
  status: { title: "status", form: "text", of: ({ status }) => status },
  method: { title: "method", form: "text", of: setting("method.name") },
  model: { title: "model", form: "text", of: setting("model.name") },
  data: { title: "data", form: "text", of: setting("data.name") },
  seed: { title: "seed", form: "number", of: setting("seed") },
  done: { title: "done", form: "text", of: ({ done }) => done },
  epochs: { title: "epochs", form: "number", of: ({ epochs }) => epochs },
  steps: { title: "steps", form: "number", of: ({ steps }) => steps },
  trainLoss: { title: "train loss", form: "loss", of: ({ trainLoss }) => trainLoss },
  trainAccuracy: { title: "train acc", form: "percent", of: ({ trainAccuracy }) => trainAccuracy },
  valLoss: { title: "val loss", form: "loss", of: ({ valLoss }) => valLoss },
  valAccuracy: { title: "val acc", form: "percent", of: ({ valAccuracy }) => valAccuracy },
  testAccuracy: { title: "test acc", form: "percent", of: ({ testAccuracy }) => testAccuracy },
  testLoss: { title: "test loss", form: "loss", of: ({ testLoss }) => testLoss },
  eigenvalue: { title: "λ₁", form: "number", of: ({ eigenvalue }) => eigenvalue },
  residual: { title: "residual", form: "number", of: ({ residual }) => residual },
  date: { title: "date (UTC)", form: "date", of: ({ date }) => date },
  seconds: { title: "time", form: "seconds", of: ({ seconds }) => seconds },
  error: { title: "error", form: "text", of: ({ error }) => error },
} as const satisfies Readonly<Record<string, Field>>;

/** A field, or a setting by its dotted key. */
export interface Key extends Field {
  readonly key: string;
}

const isField = (key: string): key is keyof typeof fields => Object.hasOwn(fields, key);

const keyOf = (key: string): Key =>
  isField(key) ? { key, ...fields[key] } : { key, title: key, form: "number", of: setting(key) };

/** Everything that these runs can be asked for, in the order of fields and settings. */
const keysOf = (runs: readonly RunSummary[]): string[] => [
  ...new Set([...Object.keys(fields), ...runs.flatMap(({ settings }) => [...settings.keys()])]),
];

/**
 * Finds keys as they are written: a field, a dotted setting, or the end of a setting where one alone ends so (rho is method.rho).
 * The function throws a ConfigError with the nearest key where no run has it.
 */
export function keyFinder(runs: readonly RunSummary[]): (text: string) => Key {
  const known = keysOf(runs);
  return (text) => {
    if (known.includes(text)) return keyOf(text);
    const ending = known.filter((key) => key.endsWith(`.${text}`));
    if (ending.length === 1) return keyOf(ending[0]!);
    const near = nearest(text, known);
    throw new ConfigError(
      ending.length > 1 ? `${text} is ${ending.join(" or ")}` : `no run has "${excerpt(text)}"`,
      { key: text, known },
      ending.length > 1
        ? "give the whole key"
        : `${near === undefined ? "" : `did you mean ${near}? `}Keys are dotted settings and ${Object.keys(fields).join(", ")}`,
    );
  };
}

/** Text of a value, for programs; nothing where there is none. */
export const textOf = (value: SettingValue | undefined): string =>
  value === undefined || value === null ? "" : Array.isArray(value) ? JSON.stringify(value) : String(value);

/** The settings in which runs differ, in the order in which the runs have them. One that a kind of run does not have tells nothing of it. */
export function differing(runs: readonly RunSummary[]): Key[] {
  const settings = new Set(runs.flatMap(({ settings }) => [...settings.keys()]));
  const kindsWith = (key: string) => new Set(runs.filter((run) => run.settings.has(key)).map(({ kind }) => kind));
  return [...settings]
    .filter((key) => {
      const kinds = kindsWith(key);
      const values = runs.filter(({ kind }) => kinds.has(kind)).map((run) => textOf(run.settings.get(key)));
      return new Set(values).size > 1;
    })
    .map(keyOf);
}
