import { type ReportOptions, writeRuns } from "../../report/runs.ts";
import type { Made, Written } from "../experiment.ts";
import { runOfRecord } from "./run-of-record.ts";

/** Writes the report of training runs from their records, with what is missing and the facts of the experiment above. */
export async function writeComparison(
  { records, planned, out, scale, command, iqm = false }: Made,
  { facts = [], ...options }: ReportOptions = {},
): Promise<Written> {
  const runs = records.flatMap((record) => runOfRecord(record) ?? []);
  const diverged = records.filter(({ status }) => status === "diverged").map(({ name }) => name);
  const left = planned.length - records.length;
  return writeRuns(runs, out, {
    ...options,
    iqm,
    facts: [
      ["scale", left === 0 ? scale : `${scale}; ${records.length} of ${planned.length} runs are made`],
      ...(diverged.length > 0 ? [["diverged", diverged.join(", ")] as const] : []),
      ...facts,
    ],
    missing: [...missingRuns({ records, planned, command }), ...(options.missing ?? [])],
  });
}

/** Runs that are named where some are missing. */
const NAMED = 12;

/** Which planned runs have no record, and the command that makes them. */
export function missingRuns({ records, planned, command }: Pick<Made, "records" | "planned" | "command">): string[] {
  const made = new Set(records.map(({ name }) => name));
  const names = planned.map(({ name }) => name).filter((name) => !made.has(name));
  if (names.length === 0) return [];
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : "";
  return [
    `${names.length} ${names.length === 1 ? "run" : "runs"}, made by ${command}: ${names.slice(0, NAMED).join(", ")}${more}`,
  ];
}
