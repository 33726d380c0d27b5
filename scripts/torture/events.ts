import { appendFileSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { FaultPlan } from "../../test/support/faults.ts";
import { type Operation, operations } from "../../test/support/power.ts";
import { runFiles } from "../../src/run/files.ts";
import { type Ended, type StartOptions, type Started, start } from "./child.ts";
import { chance, integer, pick, type Random } from "./random.ts";

/** Where an event happens. */
export interface Scene {
  readonly random: Random;
  /** The folder of the run that is disturbed. */
  readonly folder: string;
  /** Its run directories. */
  readonly runs: readonly string[];
  /** Whether it has begun, so that it is resumed. */
  readonly begun: boolean;
  readonly args: readonly string[];
  /** Operations of the undisturbed run. */
  readonly counts: Readonly<Record<Operation, number>>;
  /** How long the undisturbed run took, in milliseconds. */
  readonly duration: number;
}

/** What came of an event. */
export interface Result {
  /** Whether it came while the run was at work; it does not count otherwise. */
  readonly hit: boolean;
  /** What it was, exactly. */
  readonly what: string;
  readonly ended: readonly Ended[];
  /** What must not be. */
  readonly wrong?: string | undefined;
}

type Event = (scene: Scene) => Promise<Result>;

/** A signal, at a moment between the start and the end; `twice` sends it again. */
const signalled =
  (signal: NodeJS.Signals, { twice = false, restarts = false } = {}): Event =>
  async (scene) => {
    const { random } = scene;
    const started = start(scene.args, { restarts });
    await moment(scene, started);
    const hit = started.alive();
    started.child.kill(signal);
    if (twice) {
      await sleep(random() * 1200);
      if (started.alive()) started.child.kill(signal);
    }
    const ended = await started.ended;
    const gone = await started.gone();
    // Before the command listens, or where it does not restart itself, a signal does what the system lets it do.
    const asked = ended.signal === signal ? [] : [0, 128 + constants.signals[signal]];
    const wrong = gone ? exitOf(ended, asked) : "a process lives on";
    return { hit, what: signal, ended: [ended], wrong };
  };

/** A fault of the file system at an operation of one of these kinds. */
const faulty =
  (fault: FaultPlan["fault"], ops: readonly Operation[], more: Partial<FaultPlan> = {}): Event =>
  async ({ random, folder, args, counts }) => {
    const total = ops.reduce((sum, op) => sum + counts[op], 0);
    const report = `${folder}.report`;
    writeFileSync(report, "");
    const plan: FaultPlan = {
      ...{ root: folder, fault, ops, report, at: integer(random, 1, total), seed: integer(random, 1, 1e6) },
      ...{ when: "before", short: chance(random, 0.5) },
      ...more,
    };
    const started = start(args, { faults: plan });
    const ended = await started.ended;
    const gone = await started.gone();
    const lines = readFileSync(report, "utf8").trim().split("\n");
    const fired = lines.filter((line) => line.includes("fired")).map((line) => JSON.parse(line).fired);
    const fails = fault === "ENOSPC" || fault === "EIO";
    const wrong = !gone
      ? "a process lives on"
      : exitOf(ended, fails && fired.length > 0 ? [0, 1] : fault === "kill" || fault === "power" ? [] : [0]);
    return {
      hit: fired.length > 0 || fault === "trickle",
      what: `${fault} ${fired.join(", ")}`,
      ended: [ended],
      wrong,
    };
  };

export const events: Readonly<Record<string, Event>> = {
  "kill -9": signalled("SIGKILL"),
  "the outer process killed": signalled("SIGKILL", { restarts: true }),
  SIGTERM: signalled("SIGTERM"),
  "Ctrl-C": signalled("SIGINT"),
  "Ctrl-C twice": signalled("SIGINT", { twice: true }),
  SIGHUP: signalled("SIGHUP"),
  "closed pipes": async (scene) => {
    const started = start(scene.args);
    await moment(scene, started);
    const hit = started.alive();
    started.child.stdout?.destroy();
    started.child.stderr?.destroy();
    const ended = await started.ended;
    return { hit, what: "closed", ended: [ended], wrong: exitOf(ended, [0]) };
  },
  "full disk": faulty("ENOSPC", ["write"]),
  "broken disk": faulty("EIO", ["write", "fsync", "open", "truncate"]),
  "a few bytes at a time": faulty("trickle", ["write"]),
  "killed at an operation": faulty("kill", operations),
  "killed between write and rename": faulty("kill", ["rename"]),
  "killed after rename": faulty("kill", ["rename"], { when: "after" }),
  "power failure": faulty("power", operations),
  "power failure after rename": faulty("power", ["rename"], { when: "after" }),
  "clock set back": faulty("clock", operations),
  "two at once": async ({ args }) => {
    const both = [start(args), start(args)];
    const ended = await Promise.all(both.map((each) => each.ended));
    const codes = ended
      .map(({ code }) => code)
      .sort()
      .join();
    const wrong =
      codes === "0,2" ? undefined : `exit statuses ${codes}: ${ended.map(({ stderr }) => stderr).join(" | ")}`;
    return { hit: true, what: codes, ended, wrong };
  },
  "torn last lines": async (scene) => {
    const killed = await signalled("SIGKILL")(scene);
    for (const run of scene.runs.filter((path) => !isDone(path)))
      for (const log of [runFiles(run).metrics, runFiles(run).timings])
        if (existsSync(log))
          appendFileSync(log, pick(scene.random, ['{"kind":"st', "\0\0\0\0", '{"kind":"step"}\n{"k', "\n"]));
    return killed;
  },
  "stray temporary files": async (scene) => {
    const killed = await signalled("SIGKILL")(scene);
    for (const run of scene.runs.filter((path) => existsSync(runFiles(path).config) && !isDone(path))) {
      const { checkpoints } = runFiles(run);
      mkdirSync(checkpoints, { recursive: true });
      for (const path of [join(run, ".run.json.4711.tmp"), join(checkpoints, ".step-00000002.safetensors.12.tmp")])
        writeFileSync(path, "half");
    }
    return killed;
  },
};

export function isDone(run: string): boolean {
  const { record } = runFiles(run);
  return existsSync(record) && JSON.parse(readFileSync(record, "utf8")).status === "done";
}

/** A moment while the command works: mostly after it wrote its record, so that most of its life is training. */
async function moment({ random, runs, duration }: Scene, started: Started): Promise<void> {
  if (chance(random, 0.15)) return void (await sleep(random() * 700));
  const stamp = () =>
    Math.max(...runs.map((run) => statSync(runFiles(run).record, { throwIfNoEntry: false })?.mtimeMs ?? 0));
  const before = stamp();
  while (started.alive() && stamp() === before) await sleep(2);
  await sleep(random() * duration);
}

function exitOf({ code, signal, stderr, stdout }: Ended, allowed: readonly number[]): string | undefined {
  if (/this is a bug|^\s+at .*:\d+:\d+/m.test(stderr + stdout)) return `it says: ${stderr}`;
  if (allowed.length === 0 || (code !== null && allowed.includes(code))) return undefined;
  return `it ended with ${code ?? signal}: ${stderr.slice(-600)}`;
}

/** Runs a command with nothing in its way. */
export async function undisturbed(args: readonly string[], options: StartOptions = {}): Promise<Ended> {
  const started = start(args, options);
  const ended = await started.ended;
  await started.gone();
  return ended;
}
