import type { Report } from "../../report/paths.ts";
import { writeReportFolder } from "../../report/write.ts";
import type { StudyRecord } from "../study/record.ts";
import type { StudyRun } from "../study/run.ts";
import { testsOf } from "./analysis.ts";
import { decide, type Decision, rowsOf } from "./decision.ts";
import { leftPlateau } from "./endpoints.ts";
import { sharpnessFigure } from "./figure.ts";
import { armsTable, testsTable } from "./tables.ts";

export interface EigenSamReport extends Report {
  /** Undefined until every planned run has its record. */
  readonly decision: Decision | undefined;
  /** How far the study is, and what it decides. */
  readonly findings: readonly string[];
}

/** Writes the report of the registered study to the folder `out`, from records alone. */
export async function writeEigenSam(
  records: readonly StudyRecord[],
  planned: readonly StudyRun[],
  out: string,
  missing: readonly string[] = [],
): Promise<EigenSamReport> {
  const tests = testsOf(records, planned);
  const rows = rowsOf(records, planned);
  const complete = records.length === planned.length;
  const decision = complete ? decide(tests, rows) : undefined;
  const diverged = records.filter(({ status }) => status === "diverged");
  const stuck = records.filter((record) => record.status === "done" && !leftPlateau(record));
  const named = (some: readonly StudyRecord[]) => some.map(({ name }) => name).join(", ") || "none";
  const state = stateOf(records, planned);
  const verdict = decision === undefined ? [] : verdictOf(decision);
  const report = await writeReportFolder(out, {
    title: "Eigen-SAM beside SAM",
    facts: [
      ["state", state],
      ...verdict.map((text): [string, string] => ["result", text]),
      ["still on the plateau after the first epoch", named(stuck)],
      ["diverged", named(diverged)],
    ],
    tables: [testsTable(tests), armsTable(rows)],
    figures:
      records.length === 0
        ? []
        : [{ name: "sharpness-by-loss", title: "Sharpness at equal loss", ...sharpnessFigure(records) }],
    missing,
  });
  return { ...report, decision, findings: [state, ...verdict] };
}

function stateOf(records: readonly StudyRecord[], planned: readonly StudyRun[]): string {
  const seeds = [...new Set(planned.map(({ config }) => config.seed))];
  const whole = seeds.filter((seed) =>
    planned.every((run) => run.config.seed !== seed || records.some(({ name }) => name === run.name)),
  );
  const counts = `${records.length} of ${planned.length} runs, ${whole.length} of ${seeds.length} seeds`;
  return records.length === planned.length
    ? `complete: ${counts}`
    : `incomplete: ${counts}; nothing is decided until all are in`;
}

const verdictOf = ({ flatter, solver, rule }: Decision): string[] => [
  flatter.length === 0
    ? "the oracle's v is not found to lower λ₁ below SAM's at the same loss on any network"
    : `the oracle's v lowers λ₁ below SAM's and the placebo's at the same loss on ${flatter.join(" and ")}`,
  `the default solver is ${solver}, by rule ${rule}`,
];
