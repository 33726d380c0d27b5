#!/usr/bin/env node
import { CommanderError } from "commander";
import { ConfigError, EigensamError } from "../util/errors.ts";
import { killChildren, statusOf } from "./children.ts";
import { commands } from "./commands/index.ts";
import { stopWithParent } from "./parent.ts";
import { loadPlugins, pluginArguments } from "./plugins.ts";
import { programOf } from "./program.ts";
import { onStopSignals } from "./stop.ts";
import { say, status } from "./ui.ts";

const MISUSE = 2;

process.on("exit", () => {
  status();
  killChildren();
});
onStopSignals((signal) => process.exit(statusOf(null, signal)));
stopWithParent();
// A reader that left, as in `| head`, is no reason to stop training; a result that cannot be written is a failure.
process.stderr.on("error", () => undefined);
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE" || process.exitCode === 1) return;
  say(`eigensam: the standard output cannot be written: ${error.message}`);
  process.exitCode = 1;
});

try {
  await loadPlugins(process.argv.slice(2));
  await programOf(commands).parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

/** Says what went wrong, and returns the exit status. Commander has already printed what it throws. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : MISUSE;
  say(`eigensam: ${describe(error)}`);
  return error instanceof ConfigError ? MISUSE : 1;
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (process.env.EIGENSAM_DEBUG === "1") return error.stack ?? error.message;
  if (error instanceof EigensamError) return error.message;
  // A folder that cannot be written or a full disk: the message of the system says it.
  if ("syscall" in error) return `${error.message}\n  hint: EIGENSAM_DEBUG=1 shows where it happened`;
  const whose = pluginArguments().length > 0 ? "this is a bug, of eigensam or of a plugin" : "this is a bug";
  return `${error.message}\n  hint: ${whose}; EIGENSAM_DEBUG=1 shows where it happened`;
}
