import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { summaryOf } from "../../src/experiments/run-list/summary.ts";
import { readStudyRecord, studyRecord, writeStudyRecord } from "../../src/experiments/study/record.ts";
import type { StudyRun } from "../../src/experiments/study/run.ts";
import { marksOf } from "../../src/run/marks.ts";
import { jobsOf, recordJob } from "../../src/sweep/slurm-jobs.ts";
import { recordFailure, statusOf } from "../../src/sweep/status.ts";
import { begin, sweepIn, sweepOfFile, trialsOf } from "../../src/sweep/sweep.ts";
import { writeTrial } from "../../src/sweep/trial-files.ts";
import { trialOf } from "../../src/sweep/trials.ts";
import { builtIn } from "../../src/train/registry.ts";
import { InputError } from "../../src/util/errors.ts";
import { readSdeRun } from "../../src/experiments/sde/report/read.ts";
import { sdeRun } from "../../src/experiments/sde/run-dir.ts";
import { readRun } from "../../src/report/read-run.ts";
import { checkpointsOf } from "../../src/run/checkpoint.ts";
import { runFiles } from "../../src/run/files.ts";
import { BEGINNING, openRecorder, readCheckpoint } from "../../src/train/checkpoint.ts";
import { trainRun } from "../../src/train/run-dir.ts";
import { firstState } from "../../src/train/session.ts";
import { trainSettings } from "../../src/train/settings.ts";
import { inPackage } from "../../src/util/package.ts";
import { fakeRun } from "./fake-runs.ts";
import { fakeSdeRun } from "./fake-sde-runs.ts";
import { type FuzzTarget, folder, inFolder, safetensors, files, TOML, problem } from "./fuzz-target.ts";

export function checkpoints(): FuzzTarget {
  const run = inFolder("checkpoint");
  const own = problem();
  const recorder = openRecorder(run, own, BEGINNING);
  recorder.save(firstState(own), BEGINNING);
  recorder.close();
  const path = checkpointsOf(run)[0]!;
  const whole = readFileSync(path);
  return {
    name: "checkpoints",
    opens: ["run/checkpoint.ts"],
    run: (dice) => {
      writeFileSync(path, safetensors(whole, dice));
      return readCheckpoint(run, own)?.state;
    },
  };
}

export function records(): FuzzTarget {
  const run = fakeRun(join(folder, "run"), { epochs: 1 });
  const { record, metrics, timings, config: settings } = runFiles(run);
  writeFileSync(settings, TOML);
  return files(
    { name: "run records", opens: ["run/directory.ts", "run/lines.ts"] },
    [record, metrics, timings, settings],
    (path) => void (path === settings ? trainRun.readConfig(run) : readRun(run)),
  );
}

export function sdeRecords(): FuzzTarget {
  const run = fakeSdeRun(join(folder, "sde"), { value: (_, __, step) => 1 / (1 + step) });
  const { record, metrics, config: settings } = runFiles(run);
  return files(
    { name: "records of SDE runs", opens: ["run/directory.ts", "run/lines.ts"] },
    [record, metrics, settings],
    (path) => void (path === settings ? sdeRun.readConfig(run) : readSdeRun(run)),
  );
}

/** What the list of runs reads from the ends of files; it throws nothing, and shows what is damaged. */
export function listed(): FuzzTarget {
  const run = fakeRun(join(folder, "listed"), { epochs: 1 });
  const own = problem();
  const recorder = openRecorder(join(inFolder("marks")), own, BEGINNING);
  recorder.save(firstState(own), BEGINNING);
  recorder.close();
  const [checkpoint] = checkpointsOf(join(folder, "marks"));
  mkdirSync(runFiles(run).checkpoints, { recursive: true });
  const path = join(runFiles(run).checkpoints, basename(checkpoint!));
  const whole = readFileSync(checkpoint!);
  const { record, metrics, timings, claims } = runFiles(run);
  mkdirSync(claims);
  const claim = join(claims, "1");
  writeFileSync(claim, JSON.stringify({ pid: 1, host: "h", place: "x", lifeline: "y", released: true }));
  const text = files(
    {
      name: "the list of runs",
      opens: ["experiments/run-list/summary.ts", "run/last-lines.ts", "run/marks.ts", "run/claim.ts"],
    },
    [record, metrics, timings, claim],
    async () => {
      marksOf(run);
      const { status, error } = await summaryOf({ name: "listed", path: run });
      if (status === "damaged") throw new InputError(error ?? "");
    },
  );
  return {
    ...text,
    run: (dice) => {
      writeFileSync(path, dice.chance(0.5) ? safetensors(whole, dice) : whole);
      return text.run(dice);
    },
  };
}

/** Where records of a study are, as committed. */
const RESULTS = inPackage("results/accuracy");

export function studyRecords(): FuzzTarget {
  const dir = inFolder("study");
  const file = readdirSync(RESULTS).find((name) => name.endsWith(".json"))!;
  const record = studyRecord.parse(JSON.parse(readFileSync(join(RESULTS, file), "utf8")));
  const plan: StudyRun = { ...record, config: record.config as never };
  writeStudyRecord(dir, { ...record, epochs: record.epochs.slice(0, 1), probes: record.probes.slice(0, 1) });
  return files(
    { name: "records of studies", opens: ["experiments/study/record.ts"] },
    [join(dir, `${record.name}.json`)],
    () => void readStudyRecord(dir, plan),
  );
}

export function sweepFiles(): FuzzTarget {
  const dir = inFolder("sweep");
  const out = join(dir, "out");
  const [file, base] = [join(dir, "s.toml"), join(dir, "base.toml")];
  writeFileSync(file, SWEEP);
  writeFileSync(base, TOML);
  const settings = trainSettings(builtIn);
  const sweep = begin(sweepOfFile(file, { settings, out }), 1);
  writeTrial(out, { number: 0, point: { "optimizer.lr": 0.1 }, after: [], rungs: [] });
  const { runs } = trialOf(sweep, 0, { "optimizer.lr": 0.1 });
  for (const run of runs) recordFailure(out, run, "it failed");
  const failures = readdirSync(join(out, "failures")).map((name) => join(out, "failures", name));
  return files(
    {
      name: "sweeps",
      opens: ["sweep/sweep.ts", "sweep/plan-file.ts", "sweep/trial-files.ts", "sweep/status.ts", "cli/config-file.ts"],
    },
    [file, base, join(out, "plan.json"), join(out, "trials/00000.json"), ...failures],
    async (path) => {
      if (path === file || path === base) return void sweepOfFile(file, { settings, out });
      const own = sweepIn(out, settings);
      await statusOf(own, trialsOf(own), trainRun);
    },
  );
}

const SWEEP = `seeds = [1, 2]
measure = "val.accuracy"
config = "base.toml"
[settings]
model.width = 4
[vary]
optimizer.lr = { min = 0.01, max = 1.0, log = true }
[search]
by = "tpe"
trials = 3
`;

export function slurmJobs(): FuzzTarget {
  const out = inFolder("slurm");
  recordJob(out, { kind: "submitted", job: "12", offset: 0, array: "0-3", at: "2026-01-01" });
  recordJob(out, { kind: "cancelled", job: "11", at: "2026-01-01" });
  return files(
    { name: "jobs of Slurm", opens: ["sweep/slurm-jobs.ts"] },
    [join(out, "slurm.jsonl")],
    () => void jobsOf(out),
  );
}
