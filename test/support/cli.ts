import { spawn } from "node:child_process";
import { inPackage } from "../../src/util/package.ts";

export interface Outcome {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Sends a signal after so many milliseconds, or when stderr or stdout first matches. */
  readonly kill?: {
    readonly signal: NodeJS.Signals;
    readonly after: number | RegExp;
    /** To the whole process group, as a terminal does at Ctrl-C. */
    readonly group?: true;
  };
}

/** Node 20 reads a plugin in TypeScript through tsx alone. */
const reader = (args: readonly string[]): string[] =>
  args.some((arg) => arg.endsWith(".ts")) ? ["--import", import.meta.resolve("tsx")] : [];

/** Runs the command line as built. */
export function eigensam(
  args: readonly string[],
  { env = {}, cwd = inPackage("."), kill }: RunOptions = {},
): Promise<Outcome> {
  const child = spawn(process.execPath, [...reader(args), inPackage("bin/eigensam.js"), ...args], {
    cwd,
    // `_` names nohup where the tests run under it.
    env: { ...process.env, EIGENSAM_ALLOCATOR: "stock", _: undefined, ...env },
    detached: kill?.group === true,
  });
  let [stdout, stderr] = ["", ""];
  let sent = false;
  const send = () => {
    if (!sent && kill?.group) process.kill(-child.pid!, kill.signal);
    else if (!sent && kill) child.kill(kill.signal);
    sent = true;
  };
  const watch = () => {
    if (kill && typeof kill.after !== "number" && kill.after.test(stdout + stderr)) send();
  };
  child.stdout.on("data", (data) => {
    stdout += data;
    watch();
  });
  child.stderr.on("data", (data) => {
    stderr += data;
    watch();
  });
  const timer = kill && typeof kill.after === "number" ? setTimeout(send, kill.after) : undefined;
  return new Promise((resolve) => {
    child.once("close", (status, signal) => {
      clearTimeout(timer);
      resolve({ status, signal, stdout, stderr });
    });
  });
}

export const jsonLines = <T = Record<string, unknown>>(text: string): T[] =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as T);
