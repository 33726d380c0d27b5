import type { MetricsLine, RunResult } from "../train/records.ts";

/** What ranks the trials of a sweep. */
export interface Measure {
  readonly about: string;
  readonly direction: "minimize" | "maximize";
  /** Whether trials may be chosen by it, so that test scores stay untouched. */
  readonly chooses: boolean;
  /** Its value at the end of a run. */
  readonly final: (result: RunResult) => number | undefined;
  /** Its value after an epoch, where every epoch measures it. */
  readonly atEpoch?: (line: EpochLine) => number | undefined;
}

type EpochLine = Extract<MetricsLine, { kind: "epoch" }>;

/** The measures; a new one is one entry. */
export const measures = {
  "val.accuracy": {
    about: "validation accuracy",
    direction: "maximize",
    chooses: true,
    final: ({ val }) => val?.accuracy,
    atEpoch: ({ val }) => val?.accuracy,
  },
  "val.loss": {
    about: "validation loss",
    direction: "minimize",
    chooses: true,
    final: ({ val }) => val?.loss,
    atEpoch: ({ val }) => val?.loss,
  },
  "test.accuracy": {
    about: "test accuracy",
    direction: "maximize",
    chooses: false,
    final: ({ test }) => test?.accuracy,
  },
  "test.loss": { about: "test loss", direction: "minimize", chooses: false, final: ({ test }) => test?.loss },
  "train.loss": {
    about: "training loss",
    direction: "minimize",
    chooses: true,
    final: ({ train }) => train.loss,
    atEpoch: ({ train }) => train.loss,
  },
} as const satisfies Readonly<Record<string, Measure>>;

export type MeasureName = keyof typeof measures;

export const measureOf = (name: MeasureName): Measure => measures[name];

/** Whether one value is better than another by a measure. */
export const isBetter = ({ direction }: Pick<Measure, "direction">, a: number, b: number): boolean =>
  direction === "maximize" ? a > b : a < b;
