import type { Report } from "../report/paths.ts";
import { ConfigError } from "../util/errors.ts";
import { eigenSamRuns } from "./eigen-sam/plan.ts";
import { writeEigenSam } from "./eigen-sam/report.ts";
import { studyRuns } from "./eigenvector/plan.ts";
import { writeStudy } from "./eigenvector/report/index.ts";
import { resultOf } from "./eigenvector/result.ts";
import type { Scale, StudyName } from "./study/names.ts";
import type { StudyRecord } from "./study/record.ts";
import type { StudyRun } from "./study/run.ts";

interface Written extends Report {
  /** What the study says, a sentence each. */
  readonly findings?: readonly string[];
}

/** A study: which runs, and what is made of their records. */
export interface Study {
  /** Its runs by scale, in the order in which they are made. */
  readonly plans: Readonly<Partial<Record<Scale, () => readonly StudyRun[]>>>;
  /** Writes figures and tables of the records there are to the folder `out`; `planned` are all runs, made or not. */
  write(records: readonly StudyRecord[], planned: readonly StudyRun[], out: string): Promise<Written>;
}

/** The studies; a new one is one entry, and its name in study/names.ts. */
export const studies: Readonly<Record<StudyName, Study>> = {
  eigenvector: {
    plans: {
      smoke: () => studyRuns("smoke"),
      laptop: () => studyRuns("laptop"),
      full: () => studyRuns("full"),
    },
    write: (records, planned, out) => {
      if (records.length < planned.length)
        throw new ConfigError(
          `the study has ${records.length} of ${planned.length} runs`,
          { records: records.length, planned: planned.length },
          "run the command without --report to make the others",
        );
      return writeStudy(records.map(resultOf), out);
    },
  },
  "eigen-sam": {
    plans: { smoke: () => eigenSamRuns("smoke"), laptop: () => eigenSamRuns("laptop") },
    write: writeEigenSam,
  },
};
