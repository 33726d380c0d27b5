import type { TrainConfig } from "../../train/config.ts";
import { trainRun } from "../../train/run-dir.ts";

/** One training run of a study. */
export interface StudyRun {
  readonly name: string;
  readonly network: string;
  /** What is compared, as tables and figures call it: a method, or a solver with its rate. */
  readonly arm: string;
  readonly config: TrainConfig;
}

/** Whether the run is complete; one that was made with other settings is an error, because its results would pass for these. */
export function isComplete({ config }: Pick<StudyRun, "config">, run: string): boolean {
  if (trainRun.readRecord(run)?.status !== "done") return false;
  trainRun.assertSettings(run, config);
  return true;
}
