import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { z } from "zod";
import { moduleExtension, nodeArguments } from "../util/package.ts";
import { computeEnvironment } from "./allocator.ts";
import { lastLines, statusOf, tailOf, track } from "./children.ts";
import { childMark, type ProgressMessage } from "./parent.ts";
import { pluginArguments } from "./plugins.ts";

const progressMessage: z.ZodType<ProgressMessage> = z.object({ done: z.number(), of: z.number() });

/** One run: a command of ours in a process of its own. */
export interface Task {
  readonly name: string;
  readonly args: readonly string[];
}

/** Tasks that are decided as others end. */
export interface TaskSource<T extends Task> {
  /** The next task, when it is known; undefined where there is none left. */
  next(): Promise<T | undefined>;
  ended(task: T, outcome: Outcome): void;
}

/** Tasks that are all known. */
function sourceOf<T extends Task>(tasks: readonly T[]): TaskSource<T> {
  const waiting = [...tasks];
  return { next: async () => waiting.shift(), ended: () => undefined };
}

export type Outcome = "done" | "failed" | "stopped";

/** What the pool reports as it goes; `E` is what the children print, one JSON value a line. */
export type PoolEvent<T extends Task, E> = { readonly task: T } & (
  | { readonly kind: "begin" }
  | ({ readonly kind: "progress" } & ProgressMessage)
  | { readonly kind: "line"; readonly line: E }
  | { readonly kind: "end"; readonly outcome: Outcome; readonly seconds: number; readonly error?: string }
);

export interface PoolArgs<T extends Task, E> {
  /** Children at a time. */
  readonly jobs: number;
  /** Asks every child to save and end, and begins no other. */
  readonly stop: AbortSignal;
  /** Whether a failing child stops the others in this way too. */
  readonly failFast: boolean;
  /** How often a task that failed is tried again. */
  readonly retries?: number;
  readonly onEvent: (event: PoolEvent<T, E>) => void;
  /** The module that takes the arguments of a task; the command line itself by default. */
  readonly main?: URL;
}

/** Which tasks ended how; "stopped" includes those that never began, where they are known. */
export type PoolResult<T extends Task> = Readonly<Record<Outcome, readonly T[]>>;

/**
 * Runs every task in a child process, `jobs` at a time. A child that fails costs only itself, unless `failFast`. One that ends
 * by a signal that asks to stop has saved, and counts as stopped.
 */
export async function runPool<T extends Task, E>(
  tasks: readonly T[] | TaskSource<T>,
  args: PoolArgs<T, E>,
): Promise<PoolResult<T>> {
  const { retries = 0 } = args;
  const failure = new AbortController();
  const stop = AbortSignal.any([args.stop, failure.signal]);
  const source = "next" in tasks ? tasks : sourceOf(tasks);
  const ended: Record<Outcome, T[]> = { done: [], failed: [], stopped: [] };
  const attempt = async (task: T): Promise<Outcome> => {
    for (let tries = 0; ; tries++) {
      const outcome = await runTask(task, { ...args, stop });
      if (outcome !== "failed" || tries === retries || stop.aborted) return outcome;
    }
  };
  const work = async () => {
    for (let task = await source.next(); task !== undefined; task = await source.next()) {
      const outcome = stop.aborted ? "stopped" : await attempt(task);
      ended[outcome].push(task);
      if (outcome === "failed" && args.failFast) failure.abort();
      source.ended(task, outcome);
    }
  };
  await Promise.all(Array.from({ length: args.jobs }, work));
  return ended;
}

const commandLine = new URL(`./main${moduleExtension}`, import.meta.url);

/** Exit statuses after SIGHUP, SIGINT and SIGTERM. */
const STOPPED: readonly number[] = [129, 130, 143];

async function runTask<T extends Task, E>(
  task: T,
  { stop, onEvent, main = commandLine }: PoolArgs<T, E>,
): Promise<Outcome> {
  const begun = performance.now();
  const end = (outcome: Outcome, error?: string): Outcome => {
    const seconds = (performance.now() - begun) / 1000;
    onEvent({ kind: "end", task, outcome, seconds, ...(error === undefined ? {} : { error }) });
    return outcome;
  };
  const child = track(
    spawn(process.execPath, [...nodeArguments(main), ...task.args, ...pluginArguments()], {
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      env: { ...computeEnvironment(), ...childMark },
    }),
  );
  const ask = () => child.kill("SIGINT");
  stop.addEventListener("abort", ask, { once: true });
  let misprint: string | undefined;
  const stderr = tailOf(child.stderr!);
  createInterface({ input: child.stdout! }).on("line", (text) => {
    const line = parsed<E>(text);
    if (line === undefined) misprint ??= text;
    else onEvent({ kind: "line", task, line });
  });
  child.on("message", (message) => {
    const { data } = progressMessage.safeParse(message);
    if (data) onEvent({ kind: "progress", task, ...data });
  });
  onEvent({ kind: "begin", task });
  try {
    const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
    const status = statusOf(code, signal);
    if (misprint !== undefined) return end("failed", `it printed what is not JSON: ${misprint}`);
    if (status === 0) return end("done");
    if (STOPPED.includes(status)) return end("stopped");
    // What a command of ours fails with comes last; progress may stand before it.
    const said = stderr();
    const how = signal === null ? "" : `killed by ${signal}${signal === "SIGKILL" ? " (out of memory?)" : ""}: `;
    return end("failed", how + (/^eigensam: (.*)/ms.exec(said)?.[1]?.trim() ?? lastLines(said)));
  } catch (error) {
    return end("failed", `it did not start: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    stop.removeEventListener("abort", ask);
  }
}

/** One JSON value, or undefined where the text is none. */
function parsed<E>(text: string): E | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
