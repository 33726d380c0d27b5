import type { Point, Space } from "./parameter.ts";

/** A point that was proposed, and what came of it. */
export interface Trial {
  readonly number: number;
  readonly point: Point;
  /** Left out while it runs or where it failed. */
  readonly value?: number;
  readonly failed?: boolean;
  /** The rung where it was stopped, with the value it had there; left out where it went to its end. */
  readonly stoppedAt?: number;
}

export interface ProposeArgs {
  readonly space: Space;
  readonly seed: number;
  /** Number of the trial asked for, from 0. */
  readonly number: number;
  readonly trials: readonly Trial[];
  readonly direction: "minimize" | "maximize";
}

/** Whether a trial is over, for better or worse. */
export const isFinished = ({ value, failed }: Trial): boolean => value !== undefined || failed === true;

/** Whether a trial has a value to go by. */
export const isSound = (trial: Trial): trial is Trial & { readonly value: number } =>
  trial.failed !== true && Number.isFinite(trial.value);

/** The listed trials without the one that is asked for, which may be listed as running. */
export const othersOf = ({ trials, number }: Pick<ProposeArgs, "trials" | "number">): Trial[] =>
  trials.filter((trial) => trial.number !== number);
