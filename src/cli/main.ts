#!/usr/bin/env node
import { CommanderError } from "commander";
import { ConfigError, EigensamError } from "../util/errors.ts";
import { killChildren, statusOf } from "./children.ts";
import { commands } from "./commands/index.ts";
import { programOf } from "./program.ts";

const MISUSE = 2;

process.on("exit", killChildren);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.on(signal, () => process.exit(statusOf(null, signal)));

try {
  await programOf(commands).parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

/** Says what went wrong, and returns the exit status. Commander has already printed what it throws. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : MISUSE;
  console.error(`eigensam: ${describe(error)}`);
  return error instanceof ConfigError ? MISUSE : 1;
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (process.env.EIGENSAM_DEBUG === "1") return error.stack ?? error.message;
  if (error instanceof EigensamError) return error.message;
  return `${error.message}\n  hint: this is a bug; EIGENSAM_DEBUG=1 shows where it happened`;
}
