#!/usr/bin/env node
import { CommanderError } from "commander";
import { packageVersion } from "../util/package.ts";
import { reasonOf } from "../util/system-errors.ts";
import { killChildren, statusOf } from "./children.ts";
import { commands, loadCommands } from "./commands/index.ts";
import { describe } from "./describe.ts";
import { stopWithParent } from "./parent.ts";
import { pluginFilesIn } from "./plugin-files.ts";
import { programOf } from "./program.ts";
import { restartTuned } from "./restart.ts";
import { endedBy, onStopSignals } from "./stop.ts";
import { say, status } from "./ui.ts";

process.on("exit", () => {
  status();
  killChildren();
});
onStopSignals((signal) => {
  say(endedBy(signal));
  process.exit(statusOf(null, signal));
});
stopWithParent();
// A reader that left, as in `| head`, is no reason to stop training; a result that cannot be written is a failure.
process.stderr.on("error", () => undefined);
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE" || process.exitCode === 1) return;
  say(`eigensam: the standard output cannot be written: ${reasonOf(error).why}`);
  process.exitCode = 1;
});

const args = process.argv.slice(2);
try {
  const status = computes() ? await restartTuned() : undefined;
  if (status === undefined) await obey();
  else process.exitCode = status;
} catch (error) {
  process.exitCode = report(error);
}

function computes(): boolean {
  if (args.includes("--help") || args.includes("-h")) return false;
  return commands.find(({ name }) => name === args[0])?.computes ?? false;
}

/** Loads no more than the command needs: the whole package takes half a second. */
async function obey(): Promise<void> {
  if (pluginFilesIn(args).length > 0) await (await import("./plugins.ts")).loadPlugins(args);
  await programOf(await loadCommands((name) => args.includes(name))).parseAsync();
}

/** Says what went wrong, and returns the exit status. */
function report(error: unknown): number {
  // Commander has printed what was asked for, or the commands where none was given.
  if (error instanceof CommanderError && error.exitCode === 0) return 0;
  const { text, status: code } = describe(error, {
    version: packageVersion,
    args,
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    plugins: pluginFilesIn(args),
  });
  const stack = process.env.EIGENSAM_DEBUG === "1" && error instanceof Error ? error.stack : undefined;
  if (text !== "") say(`eigensam: ${stack ?? text}`);
  return code;
}
