import type { TrainConfig } from "./config.ts";
import type { Score } from "./evaluate.ts";
import type { RunResult } from "./run-dir.ts";
import type { RefreshMetrics } from "./refresh.ts";

/** How fast an epoch went. */
export interface EpochTiming {
  readonly seconds: number;
  readonly imagesPerSecond: number;
  /** Part of the time in which the step waited for its images. */
  readonly dataWait: number;
  /** Median time of one step, without refreshes. */
  readonly stepSeconds: number;
}

/** What training reports as it goes. */
export type TrainEvent =
  | {
      readonly event: "start";
      readonly run: string;
      readonly config: TrainConfig;
      readonly parameters: number;
      readonly stepsPerEpoch: number;
      /** Steps taken already, where the run was resumed. */
      readonly step: number;
    }
  | {
      readonly event: "step";
      readonly step: number;
      readonly epoch: number;
      readonly stepInEpoch: number;
      readonly loss: number;
      readonly accuracy: number;
      readonly lr: number;
      /** More numbers to show while training, by their labels. */
      readonly extra?: Readonly<Record<string, number>>;
      readonly imagesPerSecond: number;
      readonly dataWait: number;
    }
  | ({
      readonly event: "refresh";
      readonly step: number;
      readonly epoch: number;
      readonly seconds: number;
    } & RefreshMetrics)
  | ({
      readonly event: "epoch";
      readonly epoch: number;
      readonly step: number;
      readonly train: Score;
      readonly val: Score | null;
      readonly best: { readonly epoch: number; readonly accuracy: number } | null;
      readonly test?: Score;
    } & EpochTiming)
  | ({ readonly event: "done"; readonly run: string } & RunResult);

export type EventListener = (event: TrainEvent) => void;
