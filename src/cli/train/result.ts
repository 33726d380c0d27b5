import type { TrainEvent } from "../../train/events.ts";
import { percent, short } from "../format.ts";

/** What training came to, in a few words. */
export function resultOf(events: readonly TrainEvent[]): string[] {
  const done = events.findLast((event) => event.event === "done");
  const probe = events.findLast((event) => event.event === "probe");
  const test = done?.test;
  return [
    ...(test ? [`test ${test.accuracy === undefined ? `loss ${short(test.loss)}` : percent(test.accuracy, 2)}`] : []),
    ...(done ? [`train loss ${done.train.loss.toFixed(3)}`] : []),
    ...(probe ? [`λ₁ ${short(probe.eigenvalue)} at step ${probe.step}`] : []),
  ];
}
