import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { runFiles } from "../src/run/files.ts";
import { allocatorHere } from "../src/cli/allocator.ts";
import { rng } from "../src/util/rng.ts";
import { eigensam } from "./support/cli.ts";

/** Small and short, so that most of a life is training: 70 batches an epoch, a checkpoint every 9 steps. */
const settings = [
  "model.name=mlp",
  "model.width=32",
  "threads=1",
  "train.epochs=6",
  "train.checkpointEvery=9",
  "method.every=20",
  "method.iterations=2",
  "train.tensorboard=true",
];

const KILLS = Number(process.env.EIGENSAM_KILLS ?? 2);

it(`a run killed ${KILLS} times at random moments ends with the same bytes`, { timeout: 1_200_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "eigensam-kill-"));
  const [whole, killed] = [join(folder, "whole"), join(folder, "killed")];
  const started = performance.now();
  expect((await eigensam(["train", "--run-dir", whole, ...settings])).status).toBe(0);
  const duration = performance.now() - started;

  const random = rng(11, "kill");
  let deaths = 0;
  // The first kill waits for an epoch: half the time of another run may pass before this one has begun.
  let outcome = await eigensam(["train", "--run-dir", killed, "--json", ...settings], {
    kill: { signal: "SIGKILL", after: /"event":"epoch"/ },
  });
  while (outcome.status !== 0) {
    expect(outcome.signal, outcome.stderr).toBe("SIGKILL");
    deaths++;
    const after = deaths < KILLS ? duration * (0.1 + 0.4 * random.uniform()) : undefined;
    outcome = await eigensam(["train", "--resume", killed], {
      ...(after === undefined ? {} : { kill: { signal: "SIGKILL", after } }),
    });
  }
  expect(deaths).toBeGreaterThan(0);
  for (const file of ["weights", "best", "metrics", "events", "config"] as const)
    expect(readFileSync(runFiles(killed)[file]).equals(readFileSync(runFiles(whole)[file])), file).toBe(true);
});

it.each<[string, NodeJS.Signals, number]>([
  ["Ctrl-C", "SIGINT", 130],
  ["a closed terminal", "SIGHUP", 129],
])("%s finishes the step, saves, and prints how to resume", { timeout: 120_000 }, async (_, signal, expected) => {
  const run = join(mkdtempSync(join(tmpdir(), "eigensam-stop-")), "run");
  const args = ["train", "--run-dir", run, "--json", ...settings, "train.epochs=500"];
  const { status, stderr, stdout } = await eigensam(args, { kill: { signal, after: /"event":"refresh"/ } });
  expect(status).toBe(expected);
  expect(stderr).toContain(`resume with: eigensam train --resume ${run}`);
  expect(stdout).not.toContain('"event":"done"');
  expect(JSON.parse(readFileSync(runFiles(run).record, "utf8")).status).toBe("stopped");
});

it("a hangup that was ignored at the start stays ignored", { timeout: 120_000 }, async () => {
  const run = join(mkdtempSync(join(tmpdir(), "eigensam-hangup-")), "run");
  const { status } = await eigensam(["train", "--run-dir", run, "--json", ...settings], {
    env: { _: "/usr/bin/nohup" },
    kill: { signal: "SIGHUP", after: /"event":"refresh"/ },
  });
  expect(status).toBe(0);
  expect(JSON.parse(readFileSync(runFiles(run).record, "utf8")).status).toBe("done");
});

it("a process that is killed takes the one it restarted along, which saves", { timeout: 120_000 }, async () => {
  const run = join(mkdtempSync(join(tmpdir(), "eigensam-outer-")), "run");
  await eigensam(["train", "--run-dir", run, "--json", ...settings, "train.epochs=500"], {
    env: { EIGENSAM_ALLOCATOR: undefined, GLIBC_TUNABLES: undefined },
    kill: { signal: "SIGKILL", after: /"event":"refresh"/ },
  });
  // Where the allocator cannot be tuned there is no second process, and the record stays as the killed one left it.
  const expected = allocatorHere().state === "restart" ? "stopped" : "running";
  await expect
    .poll(() => JSON.parse(readFileSync(runFiles(run).record, "utf8")).status, { timeout: 30_000 })
    .toBe(expected);
});
