import { ConfigError } from "../../util/errors.ts";
import type { Experiment } from "../experiment.ts";
import { studyRuns } from "./plan.ts";
import { writeStudy } from "./report/index.ts";
import { resultOf } from "./result.ts";

/** Which solver keeps v̂ fresh. */
export const experiment: Experiment = {
  plans: {
    smoke: () => studyRuns("smoke"),
    laptop: () => studyRuns("laptop"),
    full: () => studyRuns("full"),
  },
  write: ({ records, planned, out }) => {
    if (records.length < planned.length)
      throw new ConfigError(
        `the study has ${records.length} of ${planned.length} runs`,
        { records: records.length, planned: planned.length },
        "run the command without --report to make the others",
      );
    return writeStudy(records.map(resultOf), out);
  },
};
