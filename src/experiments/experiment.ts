import type { Report } from "../report/paths.ts";
import type { StudyRecord } from "./study/record.ts";
import type { StudyRun } from "./study/run.ts";

export const scaleNames = ["smoke", "laptop", "full"] as const;

/** How much of an experiment is made: to see it work in minutes, over night on two cores, as the paper did. */
export type Scale = (typeof scaleNames)[number];

export interface Written extends Report {
  /** What the experiment says, a sentence each. */
  readonly findings?: readonly string[];
}

/** What a report is made of. */
export interface Made {
  /** Of the runs that are done, in the order of the plan. */
  readonly records: readonly StudyRecord[];
  /** All runs that belong to it, made or not. */
  readonly planned: readonly StudyRun[];
  readonly scale: Scale;
  /** The folder that figures and tables go to. */
  readonly out: string;
  /** What a user types to make the runs that are missing. */
  readonly command: string;
  /** Whether interquartile means were asked for. */
  readonly iqm?: boolean;
}

/** An experiment: which runs, and what is made of their records. */
export interface Experiment {
  /**
   * Its runs by scale, in the order in which they are made. They are asked for again when the records of those are there: later
   * runs may depend on what came of earlier ones.
   */
  readonly plans: Readonly<Partial<Record<Scale, (records: readonly StudyRecord[]) => readonly StudyRun[]>>>;
  /** All its runs, also those whose settings are not known until others are made; left out where its plan has them all. */
  readonly forecast?: (scale: Scale, records: readonly StudyRecord[]) => readonly StudyRun[];
  /** Times are what it measures, so its runs are made one at a time. */
  readonly timed?: true;
  /** Its report is not that of compared training runs, and takes none of their options. */
  readonly ownReport?: true;
  /** Writes figures and tables of the records there are. */
  write(made: Made): Promise<Written>;
}

/** The plans of an experiment whose runs are a function of its scale, and of the records that there are. */
export const atEveryScale = (
  runsOf: (scale: Scale, records: readonly StudyRecord[]) => readonly StudyRun[],
): Experiment["plans"] =>
  Object.fromEntries(scaleNames.map((scale) => [scale, (records: readonly StudyRecord[]) => runsOf(scale, records)]));
