import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { sweep as command } from "../src/cli/commands/sweep.ts";
import { elsewhere } from "../src/cli/sweep/queue.ts";
import { elementHere, requeue } from "../src/cli/sweep/requeue.ts";
import { runFiles } from "../src/run/files.ts";
import { recordJob } from "../src/sweep/slurm-jobs.ts";
import { statusOf } from "../src/sweep/status.ts";
import { sweepIn, trialsOf } from "../src/sweep/sweep.ts";
import { builtIn } from "../src/train/registry.ts";
import { trainRun } from "../src/train/run-dir.ts";
import { trainSettings } from "../src/train/settings.ts";
import { eigensam } from "./support/cli.ts";
import { fakeSlurm } from "./support/fake-slurm.ts";

const folder = mkdtempSync(join(tmpdir(), "eigensam-slurm's "));
const slurm = fakeSlurm(folder);
const PATH = process.env.PATH;
const children: ChildProcess[] = [];
beforeAll(() => {
  process.env.PATH = slurm.path;
});
afterAll(() => {
  process.env.PATH = PATH;
  for (const child of children) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

/** The runs of some seeds with some learning rates. */
const sweepFile = (seeds: string, rates: string) => `seeds = ${seeds}
  [settings]
  model.name = "mlp"
  model.width = 4
  data.name = "fashion-mini"
  data.examples = 500
  train.epochs = 20
  [vary]
  optimizer.lr = ${rates}
  `;
const file = join(folder, "sweep.toml");
writeFileSync(
  file,
  `${sweepFile("[1, 2]", "[0.1, 0.2]")}
  [slurm]
  partition = "gpu"
  gpus = "a100:1"
  maxRestarts = 2
  lines = ["--qos=long"]
  setup = ["export SET_UP=1"]`,
);

const out = join(folder, "out");
const script = join(out, "slurm.sh");

/** What some work says to its user, on either stream. */
async function saying(work: () => Promise<void>): Promise<string> {
  let text = "";
  const keep = (chunk: unknown) => {
    text += chunk;
    return true;
  };
  const spies = [
    vi.spyOn(process.stderr, "write").mockImplementation(keep),
    vi.spyOn(console, "log").mockImplementation((line) => keep(`${line}\n`)),
  ];
  try {
    await work();
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  return text;
}

type Options = Parameters<typeof command.run>[0];
const submit = (options: Partial<Options> = {}) =>
  saying(() => command.run({ on: "slurm", out, retries: 0, ...options } as Options, ["run", file]));
const cancel = () => saying(() => command.run({ on: "local", retries: 0 } as Options, ["cancel", out]));
const statesOf = async () => {
  const sweep = sweepIn(out, trainSettings(builtIn));
  const trials = await statusOf(sweep, trialsOf(sweep), trainRun, elsewhere(sweep));
  return trials.flatMap(({ runs }) => runs.map(({ state }) => state));
};

describe("eigensam sweep run --on slurm", () => {
  it("submits what is missing once, with or without squeue, and cancels it", async () => {
    expect(await submit({ writeOnly: true, jobs: 2 })).toBe(
      `sbatch --parsable --array=0-3%2 '${script.replaceAll("'", "'\\''")}' 0\n`,
    );
    expect(readFileSync(script, "utf8")).toMatch(
      /^#SBATCH --requeue$.*^#SBATCH --open-mode=append$.*^#SBATCH --signal=B:USR2@120$.*^#SBATCH --gres=gpu:a100:1$.*^#SBATCH --partition=gpu$\n^#SBATCH --qos=long$.*^export SET_UP=1$\nexec /ms,
    );
    expect(slurm.calls()).toEqual([]);

    expect(await submit({ jobs: 3 })).toContain("submitted 4 runs;");
    expect(slurm.calls()).toEqual([`sbatch --parsable --array=0-3%3 ${script} 0`]);
    // Another job of ours, and one that is in no array, do not count. Trials come first here, seeds first in the array.
    slurm.says("squeue", "7 1 RUNNING\n41 0 PENDING\n41 2 RUNNING\n41 3 PENDING\n9 N/A RUNNING\n");
    expect(await statesOf()).toEqual(["queued", "running", "waiting", "queued"]);
    expect(await submit()).toContain("submitted 1 runs; 3 more are queued or running already");
    expect(slurm.calls().slice(1)).toEqual([`sbatch --parsable --array=1 ${script} 0`]);
    slurm.says("squeue", "41 0 PENDING\n41 2 RUNNING\n41 3 PENDING\n42 1 PENDING\n");
    expect(await submit()).toContain("the 4 runs that are missing are queued or running");

    slurm.says("squeue", undefined);
    expect(await statesOf()).toEqual(["waiting", "waiting", "waiting", "waiting"]);
    expect(await submit()).toContain("note: squeue: no answer; runs that are queued are queued again, and made once");
    expect(slurm.calls().slice(2)).toEqual([`sbatch --parsable --array=0-3 ${script} 0`]);

    slurm.says("squeue", "41 0 PENDING\n");
    expect(await cancel()).toContain("cancelled jobs 41, 42, 43 of Slurm; what runs saves first");
    expect(slurm.calls().slice(3)).toEqual(["scancel 41 42 43"]);
    expect(await cancel()).toContain("nobody is at work");
    // What is cancelled may still be listed while it ends.
    expect(await submit()).toContain("submitted 4 runs;");
  });

  it("waits until nothing is queued, where asked to, and fails where runs are missing then", async () => {
    slurm.says("squeue", "");
    await submit({ wait: true });
    expect(process.exitCode).toBe(1);
    process.exitCode = undefined;
  });

  it.each<[string, Partial<Options>, RegExp]>([
    [
      "trials that come from results",
      { search: "tpe", out: join(folder, "tpe") },
      /^tpe proposes trials as results come/,
    ],
    ["options that exclude each other", { wait: true, writeOnly: true }, /^--write-only and --wait exclude each other/],
    ["retries", { retries: 2 }, /^--retries is for runs on this machine/],
    ["waiting for this machine", { on: "local", wait: true }, /^--wait is for clusters/],
  ])("refuses %s", async (_, options, message) => {
    await expect(submit(options)).rejects.toThrow(message);
    expect(existsSync(join(folder, "tpe"))).toBe(false);
  });
});

const RUNNING = "JobId=50 JobState=RUNNING Reason=None PreemptTime=None";
const requeues = () => slurm.calls().filter((call) => call.startsWith("scontrol"));

describe("an element that has saved", () => {
  const ask = async ({ restarts = "1", job = "50", ending = true }) => {
    const ended = vi.fn(async () => undefined);
    const element = elementHere({ SLURM_ARRAY_JOB_ID: job, SLURM_ARRAY_TASK_ID: "3", SLURM_RESTART_COUNT: restarts })!;
    const stop = { signal: AbortSignal.abort(), status: () => 143, ending: () => ending, ended };
    const before = requeues().length;
    const text = await saying(() => requeue({ element, stop, out, most: 2 }));
    return { calls: requeues().slice(before), waited: ended.mock.calls.length === 1, text };
  };
  const asks = ["scontrol requeue 50_3"];

  it.each([
    { when: "it is told while it may run", says: RUNNING, calls: asks, waited: true },
    {
      when: "its time is over",
      says: "JobState=COMPLETING Reason=TimeLimit Restarts=1 PreemptTime=None",
      calls: asks,
      waited: false,
    },
    {
      when: "Slurm cancels what it preempts",
      says: "JobState=COMPLETING Reason=None Restarts=1 PreemptTime=2026-11-27T13:32:00",
      calls: asks,
      waited: false,
    },
    {
      when: "Slurm requeues what it preempts",
      says: "JobState=COMPLETING Reason=None Restarts=2 EndTime=Unknown",
      calls: [],
      waited: false,
    },
    {
      when: "its user cancelled it",
      says: "JobState=COMPLETING Reason=None PreemptTime=None",
      calls: [],
      waited: false,
    },
    { when: "nobody can be asked", says: undefined, calls: asks, waited: false },
    { when: "nobody can be asked after a warning", says: undefined, calls: asks, waited: true, ending: false },
  ])("asks to be requeued, and waits, or does not: $when", async ({ says, calls, waited, ending }) => {
    slurm.says("scontrol", says);
    expect(await ask({ ending })).toMatchObject({ calls, waited });
  });

  it("does not ask where the sweep was cancelled, nor more often than is allowed", async () => {
    slurm.says("scontrol", RUNNING);
    const at = new Date().toISOString();
    recordJob(out, { kind: "cancelled", job: "60", at });
    expect(await ask({ job: "60" })).toMatchObject({
      calls: [],
      waited: false,
      text: expect.stringContaining("cancelled"),
    });
    const before = requeues().length;
    await expect(ask({ restarts: "2" })).rejects.toThrow("50_3 was requeued 2 times, and slurm.maxRestarts is 2");
    expect(requeues()).toHaveLength(before);
  });

  it("is none outside of an array", () => {
    expect(elementHere({ SLURM_JOB_ID: "5" })).toBeUndefined();
  });
});

/** An element of the array, run as Slurm does. */
function element(number: number, env: NodeJS.ProcessEnv) {
  const child = spawn("bash", [script, "0"], {
    cwd: folder,
    env: { ...process.env, SLURM_ARRAY_JOB_ID: "50", SLURM_ARRAY_TASK_ID: String(number), ...env },
  });
  children.push(child);
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (data) => {
      text += data;
    });
  const until = async (pattern: RegExp) => {
    while (!pattern.test(text)) await once(child.stderr, "data");
  };
  const end = once(child, "close").then(([status]) => status as number | null);
  return { child, text: () => text, until, end };
}

describe("the script of the array", () => {
  it("saves at SIGUSR2, has its own element requeued, waits for its end, and goes on to the bytes of a local run", async () => {
    const local = join(folder, "local");
    const one = join(folder, "one.toml");
    writeFileSync(one, `threads = 1\n${sweepFile("[1]", "[0.1]")}`);
    await Promise.all([
      eigensam(["sweep", "run", file, "--out", out, "--on", "slurm", "--write-only"], { cwd: folder }),
      eigensam(["sweep", "run", one, "--out", local]),
    ]);
    slurm.says("scontrol", RUNNING);
    const before = requeues().length;
    // It starts again with the tuned allocator where that is possible, and the signal must reach the child.
    const first = element(0, { EIGENSAM_ALLOCATOR: undefined, GLIBC_TUNABLES: undefined });
    await first.until(/✓ +2 /);
    first.child.kill("SIGUSR2");
    await first.until(/is requeued/);
    expect(first.text()).toMatch(
      /SIGUSR2 from Slurm; finishing this step and saving\n.*stopped after step \d+.*50_0 is requeued\n$/s,
    );
    expect(requeues().slice(before)).toEqual(["scontrol requeue 50_0"]);
    expect(first.child.exitCode).toBeNull();
    first.child.kill("SIGTERM");
    expect(await first.end).toBe(128 + 12);

    expect(await element(0, { EIGENSAM_ALLOCATOR: "stock", SLURM_RESTART_COUNT: "1" }).end).toBe(0);
    const name = readdirSync(local).find((each) => each.startsWith("lr0.1-seed1-"))!;
    for (const part of ["metrics", "weights", "best"] as const) {
      const [a, b] = [out, local].map((each) => readFileSync(runFiles(join(each, name))[part]));
      expect(a!.equals(b!), part).toBe(true);
    }
  });
});
