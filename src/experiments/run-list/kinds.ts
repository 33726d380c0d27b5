import { existsSync } from "node:fs";
import type { z } from "zod";
import { runFiles } from "../../run/files.ts";
import { lastLines } from "../../run/last-lines.ts";
import { parseJson } from "../../run/lines.ts";
import { marksOf } from "../../run/marks.ts";
import { epochLine, probeLine, type RunRecord, runRecord } from "../../train/records.ts";
import { InputError } from "../../util/errors.ts";
import { measureLine, sdeRecord } from "../sde/records.ts";
import type { Results } from "./results.ts";

/** Gives run.json by the schema of its kind. */
type ReadRecord = <R>(schema: z.ZodType<R>) => R;

/** How a run of each kind is read: its record, and what came out so far. A new kind is one entry. */
export const kinds = {
  train: (path: string, read: ReadRecord) => {
    const record = read(runRecord);
    return { record, results: trainResults(path, record) };
  },
  sde: (path: string, read: ReadRecord) => {
    const record = read(sdeRecord);
    const { step, seconds, status, config } = record;
    // The first path is the discrete method, which the others are measured against.
    const line = lastLine(path, status, measureLine, '"kind":"measure"', '"process":"discrete"');
    const { trainLoss, testLoss, testAccuracy, eigenvalue, residual } = line ?? {};
    const results: Results = {
      ...{ steps: step, done: `${step}/${config.sde.steps} steps`, seconds },
      ...{ trainLoss, testLoss, testAccuracy, eigenvalue, residual },
    };
    return { record, results };
  },
} as const;

function trainResults(path: string, { status, config, result }: RunRecord): Results {
  const { every = 0, at = [] } = Object(config.probe) as { readonly every?: unknown; readonly at?: unknown };
  const probes = every !== 0 || (Array.isArray(at) && at.length > 0);
  const probe = probes ? lastLine(path, status, probeLine, '"kind":"probe"') : undefined;
  const last = result === undefined ? lastLine(path, status, epochLine, '"kind":"epoch"') : undefined;
  const marks = result === undefined ? marksOf(path) : undefined;
  const { train, val, test } = result ?? last ?? {};
  const epochs = result?.epochs ?? last?.epoch ?? 0;
  return {
    epochs,
    steps: marks?.step,
    done: `${epochs}/${config.train.epochs}`,
    ...{ trainLoss: train?.loss, trainAccuracy: train?.accuracy },
    ...{ valLoss: val?.loss, valAccuracy: val?.accuracy },
    ...{ testLoss: test?.loss, testAccuracy: test?.accuracy },
    ...{ eigenvalue: probe?.eigenvalue, residual: probe?.residual },
    seconds: result?.seconds ?? marks?.seconds,
  };
}

/** The last line of metrics.jsonl that has all the marks, as its writer writes them. */
function lastLine<L>(
  path: string,
  status: RunRecord["status"],
  schema: z.ZodType<L>,
  ...having: string[]
): L | undefined {
  const { metrics } = runFiles(path);
  if (status === "done" && !existsSync(metrics)) throw new InputError(`is complete, but ${metrics} is missing`);
  for (const line of lastLines(metrics))
    if (having.every((mark) => line.includes(mark))) return parseJson(line, schema, metrics);
  return undefined;
}
