import type { TrainConfig } from "./config.ts";
import type { Score } from "./records.ts";
import type { EpochTime, Progress, RunResult } from "./records.ts";
import type { ProbeLook } from "./probe.ts";
import type { RefreshMetrics } from "./refresh.ts";

/** How fast an epoch went. */
export type EpochTiming = Omit<EpochTime, "kind" | "epoch">;

/** What training reports as it goes. */
export type TrainEvent =
  /** Another process may be at work on the run, and cannot be asked. */
  | { readonly event: "wait"; readonly run: string; readonly message: string }
  | {
      readonly event: "start";
      readonly run: string;
      readonly config: TrainConfig;
      readonly parameters: number;
      /** Of the labels; left out where the targets are real values. */
      readonly classes?: number;
      /** What may surprise in the settings or the data, a line each. */
      readonly notes: readonly string[];
      readonly stepsPerEpoch: number;
      /** Steps taken already, where the run was resumed. */
      readonly step: number;
    }
  | {
      readonly event: "step";
      readonly step: number;
      readonly epoch: number;
      readonly stepInEpoch: number;
      /** Means over the epoch so far. */
      readonly loss: number;
      readonly accuracy?: number;
      readonly lr: number;
      /** The step metrics of this step, by name. */
      readonly metrics: Readonly<Record<string, number>>;
      /** Those of them that ask to be shown while training, by symbol. */
      readonly extra: Readonly<Record<string, number>>;
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
      /** The probe's look at θ before a step, or at the end. */
      readonly event: "probe";
      readonly step: number;
      readonly epoch: number;
      readonly seconds: number;
    } & ProbeLook)
  | ({
      readonly event: "epoch";
      readonly epoch: number;
      readonly step: number;
      readonly train: Score;
      readonly val: Score | null;
      readonly best: Progress["best"];
      readonly test?: Score;
    } & EpochTiming)
  | {
      /** Scores of the validation examples inside an epoch. */
      readonly event: "validation";
      readonly step: number;
      readonly epoch: number;
      readonly val: Score;
      readonly best: Progress["best"];
    }
  | {
      /** The training goes on, but does not learn. */
      readonly event: "warning";
      readonly step: number;
      readonly epoch: number;
      /** What is odd, and what to try. */
      readonly message: string;
    }
  | ({ readonly event: "done"; readonly run: string } & RunResult);

export type EventListener = (event: TrainEvent) => void;
