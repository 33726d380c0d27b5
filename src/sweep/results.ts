import { existsSync } from "node:fs";
import { join } from "node:path";
import { runFiles } from "../run/files.ts";
import type { EpochLine, RunRecord } from "../train/records.ts";
import { ConfigError } from "../util/errors.ts";
import { type Measure, measureOf } from "./measure.ts";
import type { Sweep } from "./sweep.ts";
import { isFixed } from "./trials.ts";
import type { Results } from "./units.ts";

/** How run directories of training are read. */
export interface RunReader {
  readRecord(run: string): Pick<RunRecord, "status" | "result" | "error"> | undefined;
  readMetrics(run: string): readonly { readonly kind: string }[];
}

/** What the runs of a sweep came to, from their directories. */
export function resultsIn({ out, definition }: Pick<Sweep, "out" | "definition">, runs: RunReader): Results {
  const measure: Measure = measureOf(definition.measure);
  const known = (value: number | undefined): number => {
    if (value !== undefined) return value;
    // What is only listed need not be ranked.
    if (isFixed(definition)) return Number.NaN;
    throw new ConfigError(
      `the runs of ${definition.name} have no ${definition.measure}, by which its trials are compared`,
      { sweep: definition.name, measure: definition.measure },
      "set measure to another, or data.validation above 0",
    );
  };
  return {
    final: ({ name }) => {
      const path = join(out, name);
      const record = existsSync(runFiles(path).record) ? runs.readRecord(path) : undefined;
      return record?.status === "done" && record.result ? known(measure.final(record.result)) : undefined;
    },
    atEpoch: ({ name }, epoch) => {
      const { atEpoch } = measure;
      if (!atEpoch)
        throw new ConfigError(
          `${definition.measure} is not measured after every epoch, by which ASHA stops trials`,
          { measure: definition.measure },
          "set measure to val.accuracy, val.loss or train.loss",
        );
      const path = join(out, name);
      if (!existsSync(runFiles(path).metrics)) return undefined;
      const isIt = (line: { readonly kind: string }): line is EpochLine =>
        line.kind === "epoch" && (line as EpochLine).epoch === epoch;
      const line = runs.readMetrics(path).find(isIt);
      return line && known(atEpoch(line));
    },
  };
}
