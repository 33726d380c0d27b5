import { ConfigError } from "../../util/errors.ts";
import type { Experiment } from "../experiment.ts";
import { missingRuns } from "../study/comparison.ts";
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
  ownReport: true,
  write: async ({ records, planned, out, command }) => {
    // Seeds are the replicates, and a mean over networks needs all of them.
    const made = new Set(records.map(({ name }) => name));
    const lacking = new Set(planned.filter(({ name }) => !made.has(name)).map(({ config }) => config.seed));
    const whole = records.filter(({ seed }) => !lacking.has(seed));
    if (whole.length === 0)
      throw new ConfigError(
        `the study has ${records.length} of ${planned.length} runs, and no seed is complete`,
        { records: records.length, planned: planned.length },
        "run the command without --report to make the others",
      );
    return writeStudy(whole.map(resultOf), out, missingRuns({ records, planned, command }));
  },
};
