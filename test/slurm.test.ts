import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { runFiles } from "../src/run/files.ts";
import { trainRun } from "../src/train/run-dir.ts";
import { eigensam, jsonLines } from "./support/cli.ts";
import { hasSlurm, type SlurmCluster, startSlurm } from "./support/slurm.ts";

/** A minute of a time limit is Slurm's shortest, so this takes some. */
const asked = process.env.EIGENSAM_SLURM === "1";

it.skipIf(asked)("is skipped: EIGENSAM_SLURM=1 runs it, where Debian's slurm-wlm is installed", (context) => {
  context.skip();
});

/** Two runs longer than the time limit allows, and four short ones. */
const sweepFile = (epochs: number) => `
seeds = "1..2"
threads = 1
[settings]
model.name = "mlp"
model.width = 4
data.name = "fashion-mini"
data.examples = 500
optimizer.lr = 0.01
[vary]
train.epochs = [${epochs}, 2, 3]
[slurm]
partition = "low"
time = "00:01:00"
signalSeconds = 10
`;

/** What the long runs take: the warning comes 20 to 50 seconds after their start. */
const SECONDS = 75;

/** The runs of a sweep, by path. */
const runsIn = (out: string): string[] =>
  readdirSync(out)
    .filter((name) => name.startsWith("epochs"))
    .map((name) => join(out, name));

describe.runIf(asked)("a sweep on a cluster of Slurm", () => {
  it("ends with the bytes of a local one, though a run is preempted and runs meet their time limit", {
    timeout: 490_000,
  }, async () => {
    expect(hasSlurm(), "apt-get install slurm-wlm").toBe(true);
    const folder = mkdtempSync(join(tmpdir(), "eigensam-slurm-sweep-"));
    const file = join(folder, "sweep.toml");
    const run = (out: string, ...args: string[]) =>
      eigensam(["sweep", "run", file, "--out", join(folder, out), ...args]);

    // As many epochs as take so long here.
    writeFileSync(file, sweepFile(100));
    await run("trial");
    const trials = runsIn(join(folder, "trial")).map((path) => trainRun.readRecord(path)!.result!.seconds);
    const epochs = Math.ceil((100 * SECONDS) / Math.max(...trials));
    writeFileSync(file, sweepFile(epochs));

    const cluster = await startSlurm();
    const out = join(folder, "cluster");
    try {
      const submitted = await eigensam(["sweep", "run", file, "--out", out, "--on", "slurm"], { env: cluster.env });
      expect(submitted.stderr).toContain("submitted 6 runs");
      const again = await eigensam(["sweep", "run", file, "--out", out, "--on", "slurm"], { env: cluster.env });
      expect(again.stderr).toMatch(/the [56] runs that are missing are queued or running/);
      await untilBothTrain(cluster);
      expect(requeued(out)).toEqual([]);
      cluster.ask("sbatch", "--partition=high", "--wait", "--output=/dev/null", "--wrap=true");
      // There was no core for it but one of theirs.
      expect(requeued(out)).toHaveLength(1);
      while (cluster.ask("squeue", "--me", "--noheader") !== "") {
        cluster.hurry();
        await sleep(1000);
      }
    } finally {
      await cluster.end();
    }

    const long = requeued(out);
    expect(long).toHaveLength(2);
    // The other met its limit: nothing else ends an element here.
    for (const text of long) expect(text).toContain("SIGUSR2 from Slurm; finishing this step and saving");
    expect((await run("local")).status).toBe(0);
    const lines = jsonLines<{ name: string; state: string }>(
      (await eigensam(["sweep", "status", out, "--json"])).stdout,
    );
    expect(lines.map(({ state }) => state)).toEqual(Array(6).fill("done"));
    for (const { name } of lines)
      for (const part of ["metrics", "weights", "best"] as const) {
        const [a, b] = [out, join(folder, "local")].map((each) => readFileSync(runFiles(join(each, name))[part]));
        expect(a!.equals(b!), `${part} of ${name}`).toBe(true);
      }
    rmSync(folder, { recursive: true, force: true });
  });
});

/** The logs of runs that were requeued. */
const requeued = (out: string): string[] =>
  readdirSync(join(out, "logs"))
    .map((name) => readFileSync(join(out, "logs", name), "utf8"))
    .filter((text) => text.includes("is requeued"));

/** Waits until both long runs, which are the first of their seeds, have the cores. */
async function untilBothTrain(cluster: SlurmCluster): Promise<void> {
  const running = () =>
    cluster.ask("squeue", "--me", "--noheader", "--states=RUNNING", "--format=%K").split("\n").sort();
  while (running().join() !== "0,3") {
    cluster.hurry();
    await sleep(500);
  }
  await sleep(3000);
}
