import type { ChildProcess } from "node:child_process";
import { constants } from "node:os";
import type { Readable } from "node:stream";

const living = new Set<ChildProcess>();

/** Remembers a child until it ends, so that it cannot outlive this process. */
export function track<C extends ChildProcess>(child: C): C {
  living.add(child);
  const forget = () => living.delete(child);
  child.once("exit", forget).once("error", forget);
  return child;
}

/** A child that computes does not look at its input, so it is not asked but killed. */
export function killChildren(): void {
  for (const child of living) child.kill("SIGKILL");
}

/** The status by which a shell reports a death by signal. */
export const statusOf = (code: number | null, signal: NodeJS.Signals | null): number =>
  code ?? (signal === null ? 1 : 128 + constants.signals[signal]);

const KEPT = 4000;

/** Reads a stream to its end and keeps the last characters, which say why a child failed. */
export function tailOf(stream: Readable): () => string {
  let tail = "";
  stream.setEncoding("utf8").on("data", (text: string) => {
    tail = (tail + text).slice(-KEPT);
  });
  return () => tail;
}

/** The last lines of what a child said; there are few where a command of ours failed with a message. */
export const lastLines = (text: string): string =>
  text.trim().split("\n").slice(-SHOWN_LINES).join("\n  ") || "it printed nothing";

const SHOWN_LINES = 6;
