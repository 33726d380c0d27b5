import type { Experiment } from "../experiment.ts";
import { missingRuns } from "../study/comparison.ts";
import { eigenSamRuns } from "./plan.ts";
import { writeEigenSam } from "./report.ts";

/** The registered study: does a good v̂ make Eigen-SAM flatter than SAM? docs/notes/eigen-sam-study.md is its plan. */
export const experiment: Experiment = {
  plans: { smoke: () => eigenSamRuns("smoke"), laptop: () => eigenSamRuns("laptop") },
  ownReport: true,
  write: ({ records, planned, out, command }) =>
    writeEigenSam(records, planned, out, missingRuns({ records, planned, command })),
};
