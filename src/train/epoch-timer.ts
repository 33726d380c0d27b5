import { median } from "../util/statistics.ts";
import type { EpochTiming } from "./events.ts";

/** Collects the times of one epoch's steps, in milliseconds. */
export interface EpochTimer {
  add(waited: number, stepped: number): void;
  /** The rate so far. */
  rate(batch: number): Pick<EpochTiming, "imagesPerSecond" | "dataWait">;
  summary(batch: number): EpochTiming;
}

export function epochTimer(): EpochTimer {
  const start = performance.now();
  const steps: number[] = [];
  let waited = 0;
  const rate = (batch: number) => {
    const elapsed = performance.now() - start;
    return { imagesPerSecond: (steps.length * batch) / (elapsed / 1000), dataWait: waited / elapsed };
  };
  return {
    add: (wait, step) => {
      waited += wait;
      steps.push(step);
    },
    rate,
    summary: (batch) => ({
      seconds: (performance.now() - start) / 1000,
      ...rate(batch),
      stepSeconds: median(steps) / 1000,
    }),
  };
}
