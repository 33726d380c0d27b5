import { Command } from "commander";
import type { CliCommand } from "./commands/command.ts";
import { packageVersion } from "../util/package.ts";
import { restartTuned } from "./restart.ts";

/** The command line of `commands`; parsing it throws CommanderError where it would exit. */
export function programOf(commands: readonly CliCommand[]): Command {
  const program = new Command("eigensam")
    .description("Sharpness-aware training on ONNX Runtime: SGD, SAM, Eigen-SAM, and curvature")
    .version(packageVersion, "-V, --version", "print the version")
    .helpOption("-h, --help", "print help")
    .helpCommand("help [command]", "print help for a command")
    .showHelpAfterError("(--help lists commands and options)")
    .exitOverride();
  for (const spec of commands) {
    const command = program.command(spec.name).description(spec.summary).helpOption("-h, --help", "print help");
    spec.configure(command);
    command.option(
      "--plugin <file>",
      "a module that exports methods, models, data sets, losses or step metrics; may be repeated",
    );
    command.action(async (...given: unknown[]) => {
      const status = spec.computes ? await restartTuned() : undefined;
      if (status !== undefined) {
        process.exitCode = status;
        return;
      }
      // Commander hands over the arguments (a list where they repeat), then the options, then the command.
      const args = (given.slice(0, -2).flat() as (string | undefined)[]).filter((arg) => arg !== undefined);
      // loadPlugins has read it before the command was declared.
      const { plugin: _, ...options } = given.at(-2) as Record<string, unknown>;
      await spec.run(options as never, args);
    });
  }
  return program;
}
