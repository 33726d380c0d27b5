import type { z } from "zod";
import type { metricsLine, Score } from "../records.ts";

/** A line of metrics.jsonl as it is read. */
export type Line = z.output<typeof metricsLine>;

/** Numbers by their tags. TensorBoard shows tags that begin alike up to their first "/" together. */
export type Scalars = Readonly<Record<string, number>>;

const isNumber = (entry: [string, unknown]): entry is [string, number] => typeof entry[1] === "number";

/** The numbers of a record under one prefix, and where they are lists, numbered from 1; truths are 1 and 0. */
const under = (prefix: string, record: object): Scalars =>
  Object.fromEntries(
    Object.entries(record)
      .flatMap(([key, value]): [string, unknown][] =>
        Array.isArray(value) ? value.map((inner, i) => [`${key.replace(/s$/, "")}${i + 1}`, inner]) : [[key, value]],
      )
      .map(([key, value]): [string, unknown] => [`${prefix}/${key}`, typeof value === "boolean" ? +value : value])
      .filter(isNumber),
  );

const scores = (prefix: string, given: Readonly<Record<string, Score | null | undefined>>): Scalars =>
  Object.assign({}, ...Object.entries(given).map(([part, score]) => under(`${prefix}/${part}`, score ?? {})));

/** What TensorBoard shows of a line: all of its numbers but those that say where in the training it stands. */
export function scalarsOf(line: Line): Scalars {
  switch (line.kind) {
    case "step":
    case "refresh": {
      const { kind, step: _, epoch: __, ...numbers } = line;
      return under(kind, numbers);
    }
    case "probe": {
      // λ₁ and its residual are the first of the lists.
      const { kind, step: _, epoch: __, eigenvalue: ___, residual: ____, ...numbers } = line;
      return under(kind, numbers);
    }
    case "epoch":
      return scores("epoch", { train: line.train, val: line.val, test: line.test });
    case "validation":
      return scores("step", { val: line.val });
    case "done":
      return scores("end", { test: line.test });
    case "warning":
      return {};
  }
}
