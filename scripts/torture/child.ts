import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawnSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import type { FaultPlan } from "../../test/support/faults.ts";
import { inPackage } from "../../src/util/package.ts";

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Whether it is at work yet. */
  alive(): boolean;
  /** Waits until nothing is left of it and of the processes that it started. */
  gone(): Promise<boolean>;
}

export interface StartOptions {
  readonly faults?: FaultPlan | undefined;
  /** Lets it start itself again with the tuned allocator. */
  readonly restarts?: boolean;
}

const PATIENCE_MS = 60_000;

let preload: string | undefined;

/** The failing file system as JavaScript, which a child loads without a translator. */
function faultsModule(): string {
  if (preload !== undefined) return preload;
  const out = mkdtempSync(join(tmpdir(), "eigensam-preload-"));
  const flags = ["--ignoreConfig", "--module", "nodenext", "--target", "es2023", "--types", "node", "--skipLibCheck"];
  const sources = ["faults.ts", "power.ts"].map((name) => inPackage(`test/support/${name}`));
  const tsc = inPackage("node_modules/.bin/tsc");
  const args = [...flags, "--rewriteRelativeImportExtensions", "--outDir", out, ...sources];
  const { status, stdout } = spawnSync(tsc, args, { encoding: "utf8", cwd: inPackage(".") });
  if (status !== 0) throw new Error(`the failing file system does not compile:\n${stdout}`);
  spawnSync("cp", [inPackage("package.json"), out]);
  preload = join(out, "faults.js");
  return preload;
}

/** Starts one command of ours, in a process group of its own. */
export function start(args: readonly string[], { faults, restarts = false }: StartOptions = {}): Started {
  const env: NodeJS.ProcessEnv = { ...process.env, EIGENSAM_HANGUP: undefined, _: undefined };
  if (restarts) {
    delete env.EIGENSAM_ALLOCATOR;
    delete env.GLIBC_TUNABLES;
  } else env.EIGENSAM_ALLOCATOR = "stock";
  if (faults)
    Object.assign(env, { NODE_OPTIONS: `--import=${faultsModule()}`, EIGENSAM_FAULTS: JSON.stringify(faults) });
  const child = spawn(process.execPath, args, { env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text) => {
    stderr += text;
  });
  let exited = false;
  const ended = new Promise<Ended>((resolve) => {
    child.once("exit", (code, signal) => {
      exited = true;
      // Pipes stay open where a process that it started lives on.
      const finish = () => resolve({ code, signal, stdout, stderr });
      child.once("close", finish);
      setTimeout(finish, 2000).unref();
    });
  });
  return {
    child,
    ended,
    alive: () => !exited,
    gone: async () => {
      for (const end = performance.now() + PATIENCE_MS; performance.now() < end; await sleep(10))
        if (!groupLives(child.pid!)) return true;
      return false;
    },
  };
}

function groupLives(group: number): boolean {
  try {
    process.kill(-group, 0);
    return true;
  } catch {
    return false;
  }
}
