/**
 * A file system that fails: patches node:fs below one folder. As a preload (`NODE_OPTIONS=--import=…`, EIGENSAM_FAULTS holding a plan)
 * it breaks a process of ours at a chosen operation; `injectFaults` does the same inside a test. src/ knows nothing of it.
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { resolve, sep } from "node:path";
import { isMainThread } from "node:worker_threads";
import { diskOf, type Operation, operations, type Step } from "./power.ts";

export interface FaultPlan {
  /** Only what lies in this folder fails. */
  readonly root: string;
  /**
   * - ENOSPC, EIO: the operation fails, and so does every later one of its kind; "short" writes a part before
   * - trickle: every write takes a few bytes only, which is no error
   * - kill: the process dies; power: so does the machine, and what was not synced is lost in part
   * - clock: the clock is set back by a day
   * - none: operations are only counted
   */
  readonly fault: "ENOSPC" | "EIO" | "trickle" | "kill" | "power" | "clock" | "none";
  /** The operation that is hit, counting from 1 those that match; never where it is left out. */
  readonly at?: number;
  /** Kinds of operation that match; all where it is left out. */
  readonly ops?: readonly Operation[];
  /** Whether it is hit before or after it is done. */
  readonly when?: "before" | "after";
  readonly short?: boolean;
  /** What is lost when the power fails. */
  readonly seed?: number;
  /** A file that gets a JSON line when the fault strikes, and one at the end: {fired} and {counts}. */
  readonly report?: string;
}

/** What every operation throws once the process is dead; only inside tests, where it cannot be killed. */
export class Dead extends Error {}

export interface Faults {
  /** The operation that was hit. */
  fired(): string | undefined;
  /** Operations so far, by kind. */
  readonly counts: Readonly<Record<Operation, number>>;
  /** Ends it. */
  remove(): void;
}

const ERRNO = { ENOSPC: [-28, "no space left on device"], EIO: [-5, "i/o error"] } as const;
const TRICKLE = 7;

export function injectFaults(plan: FaultPlan, die: () => void = () => undefined): Faults {
  const { appendFileSync } = fs;
  const { fault, at, ops = operations, when = "before", seed = 1 } = plan;
  const root = resolve(plan.root);
  const within = (path: string): boolean => path === root || path.startsWith(root + sep);
  const counts = Object.fromEntries(operations.map((op) => [op, 0])) as Record<Operation, number>;
  const disk = diskOf(fs, within);
  let matched = 0;
  let fired: string | undefined;
  let dead = false;

  const report = (line: object): void => {
    if (plan.report) appendFileSync(plan.report, `${JSON.stringify(line)}\n`);
  };
  const strike = (op: Operation, path: string): void => {
    if (fired !== undefined) return;
    fired = `${op} ${path.slice(root.length + 1)} (${when})`;
    report({ fired, pid: process.pid });
    if (fault === "clock") setClockBack();
    if (fault === "power") disk.loseUnsynced(seed);
    if (fault === "power" || fault === "kill") {
      dead = true;
      die();
      throw new Dead(fired);
    }
  };
  const failing = (op: Operation): void => {
    if (fired === undefined || !(fault === "ENOSPC" || fault === "EIO")) return;
    const [errno, text] = ERRNO[fault];
    throw Object.assign(new Error(`${fault}: ${text}, ${op}`), { errno, code: fault, syscall: op });
  };

  /** Does an operation on a path, or lets it fail. */
  const step: Step = (op, path, act, part = act) => {
    if (!within(path)) return act();
    if (dead) throw new Dead(fired);
    counts[op]++;
    if (!ops.includes(op)) return act();
    const hit = ++matched === at;
    if (hit && when === "before") {
      strike(op, path);
      if (plan.short && op === "write") return part();
    }
    failing(op);
    const result = fault === "trickle" ? part() : act();
    if (hit && when === "after") strike(op, path);
    return result;
  };

  disk.patch(step, (length) => (fault === "trickle" ? Math.min(length, TRICKLE) : Math.ceil(length / 2)));
  syncBuiltinESMExports();
  return {
    fired: () => fired,
    counts,
    remove: () => {
      report({ counts, pid: process.pid });
      disk.restore();
      syncBuiltinESMExports();
    },
  };
}

const DAY_MS = 86_400_000;

function setClockBack(): void {
  const Real = Date;
  const now = () => Real.now() - DAY_MS;
  globalThis.Date = new Proxy(Real, {
    construct: (_, args) => (args.length === 0 ? new Real(now()) : Reflect.construct(Real, args)),
    apply: () => new Real(now()).toString(),
    get: (target, key) => (key === "now" ? now : Reflect.get(target, key)),
  });
}

const planned = process.env.EIGENSAM_FAULTS;
if (planned && isMainThread) {
  const faults = injectFaults(JSON.parse(planned), () => process.kill(process.pid, "SIGKILL"));
  process.on("exit", () => faults.remove());
}
