import type { Run } from "../../report/read-run.ts";
import type { StudyRecord } from "./record.ts";

/** A run as reports read it, from its record alone; undefined where the record is of a version that kept too little. Single steps are not in it. */
export function runOfRecord({ name, run, times, probes, epochs }: StudyRecord): Run | undefined {
  if (run === undefined || times === undefined) return undefined;
  return {
    path: name,
    record: run,
    steps: [],
    refreshes: [],
    probes: probes.map((look) => ({ kind: "probe", ...look })),
    epochs: epochs.map((line) => ({ kind: "epoch", ...line })),
    epochTimes: times.epochs,
    refreshTimes: times.refreshes,
    probeTimes: [],
  };
}
