import type { Run } from "./read-run.ts";

/** Mean time of one step of a run, its share of waiting and of estimates included; undefined before the first epoch ends. */
export function stepSeconds({ times, epochs }: Run): number | undefined {
  const last = epochs.at(-1);
  if (times.length === 0 || last === undefined) return undefined;
  return times.reduce((total, { seconds }) => total + seconds, 0) / ((last.step / last.epoch) * times.length);
}
