import { type ReportOptions, writeRuns } from "../../report/runs.ts";
import type { Made, Written } from "../experiment.ts";
import { runOfRecord } from "./run-of-record.ts";

/** Writes the report of training runs from their records, with what is missing and the facts of the experiment above. */
export async function writeComparison(
  { records, planned, out, scale }: Made,
  { facts = [], ...options }: ReportOptions = {},
): Promise<Written> {
  const runs = records.flatMap((record) => runOfRecord(record) ?? []);
  const diverged = records.filter(({ status }) => status === "diverged").map(({ name }) => name);
  const left = planned.length - records.length;
  return writeRuns(runs, out, {
    ...options,
    facts: [
      ["scale", left === 0 ? scale : `${scale}; ${records.length} of ${planned.length} runs are made`],
      ...(diverged.length > 0 ? [["diverged", diverged.join(", ")] as const] : []),
      ...facts,
    ],
    missing: [
      ...(left > 0 ? [`${left} ${left === 1 ? "run" : "runs"}: the command without --report makes them`] : []),
      ...(options.missing ?? []),
    ],
  });
}
