import { count } from "./curvature/numbers.ts";
import type { Group } from "./groups.ts";
import { methodOf } from "./method.ts";
import type { Fact } from "./html.ts";
import type { RunRecord } from "../train/records.ts";

const recordsOf = (groups: readonly Group[]): RunRecord[] =>
  groups.flatMap(({ runs }) => runs.map(({ record }) => record));

/** Distinct values as a list, in the order in which they occur. */
export const distinct = (values: readonly (string | number)[]): string => [...new Set(values)].join(", ");

/** Characters of what a title lists, and things that it lists. */
const LONGEST = 60;
const MOST = 4;

/** What all groups have in common: their methods and data, and their settings where there is room. */
export function titleOf(groups: readonly Group[]): string {
  const records = recordsOf(groups);
  const labels = groups.map(({ label }) => label).join(", ");
  const methods = [...new Set(records.map((record) => methodOf(record).title))];
  const shortened = methods.length <= MOST ? methods.join(", ") : `${methods.length} methods`;
  const what = labels.length <= LONGEST ? labels : `${shortened} in ${groups.length} settings`;
  const names = [...new Set(records.map(({ data }) => data.name))];
  return `${what} on ${names.length <= MOST ? names.join(", ") : `${names.length} data sets`}`;
}

/** What was run. */
export function factsOf(groups: readonly Group[]): Fact[] {
  const records = recordsOf(groups);
  const seeds = [...new Set(records.map(({ config }) => config.seed))].sort((a, b) => a - b);
  return [
    [
      "data",
      distinct(
        records.map(
          ({ data, config }) =>
            `${data.name} (${count(data.train)} training${noiseOf(config.data)}, ${count(data.val)} validation, ${count(data.test)} test)`,
        ),
      ),
    ],
    ["model", distinct(records.map(({ model }) => `${model.name} (${count(model.parameters)} parameters)`))],
    ["epochs", distinct(records.map(({ config }) => config.train.epochs))],
    ["batch", distinct(records.map(({ config }) => config.data.batch))],
    ["seeds", distinct(seeds)],
    ["runs", String(records.length)],
  ];
}

/** What part of the labels that are trained on is wrong on purpose. */
const noiseOf = ({ labelNoise = 0 }: RunRecord["config"]["data"]): string =>
  labelNoise === 0 ? "" : ` with ${Number((100 * labelNoise).toPrecision(3))} % wrong labels`;

/** Where it was run. */
export function machineOf(groups: readonly Group[]): Fact[] {
  const records = recordsOf(groups);
  const days = records.map(({ startedAt }) => startedAt.slice(0, 10)).sort();
  return [
    ["device", distinct(records.map(({ device }) => device))],
    ["threads per run", distinct(records.map(({ threads }) => threads))],
    ["eigensam", distinct(records.map(({ versions }) => versions.eigensam))],
    ["Node", distinct(records.map(({ versions }) => versions.node))],
    ["ONNX Runtime", distinct(records.map(({ versions }) => versions.onnxruntime))],
    ["started", distinct([days[0]!, days.at(-1)!])],
  ];
}

/** Runs that are not complete; curves of their groups end where the shortest of them does. */
export const unfinished = (groups: readonly Group[]): string[] =>
  groups
    .flatMap(({ runs }) => runs)
    .filter(({ record }) => record.status !== "done")
    .map(({ path, record, epochs }) => {
      const state =
        record.status === "running" ? "has not ended" : record.status === "stopped" ? "was stopped" : "failed";
      const reason = record.error === undefined ? "" : `: ${record.error}`;
      return `${path} ${state} after ${epochs.length} of ${record.config.train.epochs} epochs${reason}; its group's curves end where its own do`;
    });
