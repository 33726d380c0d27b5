import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { EigensamError } from "../util/errors.ts";
import { lastLines, tailOf, track } from "./children.ts";

/** A child process that ended before it answered. */
export class ChildError extends EigensamError {
  declare readonly data: { readonly stderr: string; readonly started: boolean };
}

/** A child process that answers each line with one line of JSON. */
export interface LineChild {
  /** The next line it prints. */
  next<T>(): Promise<T>;
  ask<T>(request: string): Promise<T>;
  /** Ends it, and returns when it is gone. */
  stop(): Promise<void>;
}

export interface LineChildOptions {
  /** How errors call it. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

const PATIENCE_MS = 5000;

export function startLineChild({ name, command, args, env }: LineChildOptions): LineChild {
  const child = track(spawn(command, args, { stdio: ["pipe", "pipe", "pipe"], env }));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const tail = tailOf(child.stderr);
  // Writing to a child that died fails; next() reports the death.
  child.stdin.on("error", () => undefined);

  const gone = new Promise<ChildError>((resolve) => {
    child.once("error", (error) => {
      resolve(new ChildError(`${name} did not start: ${error.message}`, { stderr: tail(), started: false }));
    });
    child.once("close", (code, signal) => {
      const how = signal === null ? `with status ${code}` : `by ${signal}`;
      const stderr = tail();
      resolve(new ChildError(`${name} ended ${how}:\n  ${lastLines(stderr)}`, { stderr, started: true }));
    });
  });

  const next = async <T>(): Promise<T> => {
    const event = await Promise.race([lines.next(), gone]);
    if (event instanceof ChildError) throw event;
    if (event.done) throw await gone;
    return JSON.parse(event.value) as T;
  };
  return {
    next,
    ask: (request) => {
      child.stdin.write(`${request}\n`);
      return next();
    },
    stop: async () => {
      child.stdin.end("quit\n");
      const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
      await gone;
      clearTimeout(timer);
    },
  };
}
