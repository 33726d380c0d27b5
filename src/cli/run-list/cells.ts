import { type Form, type Key, textOf } from "../../experiments/run-list/keys.ts";
import type { RunSummary } from "../../experiments/run-list/summary.ts";
import { oneLine } from "../../report/printable.ts";
import { duration, percent, short } from "../format.ts";

const forms: Readonly<Record<Form, (value: number) => string>> = {
  text: String,
  date: String,
  percent: (value) => percent(value, 2),
  loss: (value) => value.toFixed(4),
  number: (value) => (Number.isInteger(value) || Number.isNaN(value) ? String(value) : short(value)),
  seconds: duration,
};

/** What stands where nothing is known. */
export const UNKNOWN = "–";

/** A value of a run for people. A setting is shown as it was given, a measurement as exactly as it is worth. */
export function cellOf({ key, of, form }: Key, run: RunSummary): string {
  const value = of(run);
  if (value === undefined || value === null) return UNKNOWN;
  if (form === "date") return oneLine(textOf(value).slice(0, 16).replace("T", " "));
  return oneLine(typeof value !== "number" || key.includes(".") ? textOf(value) : forms[form](value));
}
