import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { clusterOptions } from "../src/sweep/cluster-options.ts";
import { activeRuns, queueOf, type SlurmJob } from "../src/sweep/slurm-jobs.ts";
import { arraysOf, slurmScript } from "../src/sweep/slurm-script.ts";

const scriptOf = (options: object, given: object = {}): string =>
  slurmScript({
    ...{ name: "s", version: "1.2.3", out: "/runs/s", folder: "/home", logs: "/runs/s/logs", cpus: 2 },
    ...{ command: "printf '%s\\n'", args: [], options: clusterOptions.slurm.parse(options) },
    ...given,
  });

it("hands the number of the run, the folder and further words to the command as they are, after the setup", () => {
  const script = scriptOf(
    { setup: ["cd / && SETUP=done", 'echo "$SETUP $PWD"'], maxRestarts: 7 },
    { out: "/run's $HOME", args: ["--plugin", "/a b.mjs"] },
  );
  const env = { PATH: process.env.PATH, SLURM_ARRAY_TASK_ID: "5" };
  const words = execFileSync("bash", ["-c", script, "slurm.sh", "2000"], {
    ...{ env, encoding: "utf8" },
    // With a socket for its input, bash would read the start file of whoever runs the tests.
    stdio: ["ignore", "pipe", "inherit"],
  }).split("\n");
  expect(words).toEqual([
    "done /",
    "sweep",
    "task",
    "2005",
    "--out",
    "/run's $HOME",
    "--requeue",
    "7",
    "--plugin",
    "/a b.mjs",
    "",
  ]);
});

it("says what sbatch needs to know, and leaves out what the file does not say", () => {
  const lines = scriptOf({ signalSeconds: 30 }, { logs: "/100% sure/logs" }).split("\n");
  expect(lines.filter((line) => line.startsWith("#SBATCH"))).toEqual([
    "#SBATCH --requeue",
    "#SBATCH --job-name=eigensam-s",
    '#SBATCH --output="/100%% sure/logs/%A_%a.log"',
    "#SBATCH --open-mode=append",
    "#SBATCH --chdir=/home",
    "#SBATCH --signal=B:USR2@30",
    "#SBATCH --ntasks=1",
    "#SBATCH --cpus-per-task=2",
  ]);
  const asked = { account: "a", partition: "p", time: "1-00:00:00", memory: "4G", gpus: 2, lines: ["--qos=long"] };
  for (const line of ["account=a", "partition=p", "time=1-00:00:00", "mem=4G", "gres=gpu:2", "qos=long"])
    expect(scriptOf(asked).split("\n")).toContain(`#SBATCH --${line}`);
});

it("refuses options that are more than one line, which would be lines of the script", () => {
  expect(() => scriptOf({ partition: "low\nrm -rf /" })).toThrow("expected one line of text");
});

it("writes arrays as ranges, and begins another where Slurm's numbers end", () => {
  expect(arraysOf([0, 1, 2, 5, 7, 8])).toEqual([{ offset: 0, array: "0-2,5,7-8" }]);
  expect(arraysOf([998, 999, 1000, 1001, 3005])).toEqual([
    { offset: 0, array: "998-999" },
    { offset: 1000, array: "0-1" },
    { offset: 3000, array: "5" },
  ]);
  expect(arraysOf([])).toEqual([]);
});

it("finds runs in what squeue prints, by the jobs of the sweep and their offsets", () => {
  const job = (job: string, offset: number): SlurmJob => ({ kind: "submitted", job, offset, array: "", at: "" });
  const queue = queueOf("41 0 PENDING\n41 1 RUNNING\n42 1 REQUEUED\n42 2 COMPLETING\n43 0 RUNNING\n44 N/A RUNNING\n");
  expect([...activeRuns([job("41", 0), job("42", 1000)], queue)]).toEqual([
    [0, "queued"],
    [1, "running"],
    [1001, "queued"],
    [1002, "running"],
  ]);
});
