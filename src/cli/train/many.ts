import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { writeReport } from "../../report/index.ts";
import type { TrainEvent } from "../../train/events.ts";
import { trainRunOf } from "../../train/run-dir.ts";
import { assertFolderWritable } from "../../util/places.ts";
import { duration } from "../format.ts";
import { registry } from "../plugins.ts";
import { type PoolOptions, runTasks } from "../run-tasks.ts";
import { emit, say } from "../ui.ts";
import { sayCosts } from "./costs.ts";
import { shortKey } from "../../sweep/names.ts";
import type { Plan } from "./plan.ts";
import { problems } from "./problems.ts";
import { ensurePlan } from "../../sweep/plan-file.ts";
import { resultOf } from "./result.ts";

interface ManyOptions extends PoolOptions {
  readonly runDir?: string;
  readonly dryRun?: true;
  readonly json?: true;
}

/**
 * Trains every run of a plan in a process of its own, and reports them together. The same plan in the same folder resumes; runs
 * that failed are left out of the report.
 */
export async function trainMany(plan: Plan, { runDir, dryRun, json, ...options }: ManyOptions): Promise<void> {
  const begun = performance.now();
  const { unread } = plan;
  if (unread.length > 0) say(`note: no run reads ${unread.join(", ")}`);
  const problem = problems();
  if (dryRun) return sayCosts(plan.runs, problem, { jobs: options.jobs, json: json === true });
  const trainRun = trainRunOf(registry());
  const out = runDir ?? folderOf(plan);
  assertFolderWritable(out);
  // Settings that do not fit the data are one error here, not one in every child.
  for (const run of plan.runs) await problem(run);
  const runs = ensurePlan(out, plan.runs, options.jobs).map((each) => ({ ...each, run: join(out, each.name) }));
  for (const { run, config } of runs) await trainRun.ensure(run, config);
  const isDone = ({ run }: { readonly run: string }) => trainRun.readRecord(run)?.status === "done";
  const tasks = runs
    .filter((each) => !isDone(each))
    .map(({ name, run }) => ({ name, run, args: ["train", "--resume", run, "--json"] }));
  const onLine = (event: TrainEvent, { run }: { readonly run: string }) => {
    if (json) emit({ ...event, run });
  };
  const complete = runs.length - tasks.length;
  const outcome = await runTasks(tasks, { options, out, complete, onLine, result: resultOf });
  const done = runs.filter(isDone).map(({ run }) => run);
  if (outcome === "stopped" || done.length === 0) return;
  const report = await writeReport(done, join(out, "report"));
  const seconds = (performance.now() - begun) / 1000;
  if (json) emit({ event: "report", out, runs: done, ...report, seconds });
  else {
    const results = report.tables.find((path) => path.endsWith("results.md"));
    if (results !== undefined) console.log(readFileSync(results, "utf8").trimEnd());
    if (report.findings.length > 0) console.log(`\n${report.findings.join("\n")}\n`);
    console.log(`${report.html}: ${done.length} of ${runs.length} runs; ${duration(seconds)} in all`);
  }
}

/** A folder of its own for every plan, so that the same command finds its runs again: runs/name-seed-3f9a01. */
function folderOf({ keys, runs }: Plan): string {
  const digest = createHash("sha256").update(JSON.stringify(runs)).digest("hex").slice(0, 6);
  const named = keys.map((key) => (key.endsWith(".name") ? key.split(".")[0]! : shortKey(key, keys)));
  return join("runs", [...named, digest].join("-"));
}
