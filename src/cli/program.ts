import { Command } from "commander";
import type { CliCommand } from "./commands/command.ts";
import { packageVersion } from "./package.ts";
import { restartTuned } from "./restart.ts";

/** The command line of `commands`; parsing it throws CommanderError where it would exit. */
export function programOf(commands: readonly CliCommand[]): Command {
  const program = new Command("eigensam")
    .description("Sharpness-aware training on ONNX Runtime: SGD, SAM, Eigen-SAM, and curvature")
    .version(packageVersion, "-V, --version", "print the version")
    .helpOption("-h, --help", "print help")
    .helpCommand("help [command]", "print help for a command")
    .showHelpAfterError("(--help lists what there is)")
    .exitOverride();
  for (const spec of commands) {
    const command = program.command(spec.name).description(spec.summary).helpOption("-h, --help", "print help");
    spec.configure(command);
    command.action(async (options) => {
      const status = spec.computes ? await restartTuned() : undefined;
      if (status !== undefined) process.exitCode = status;
      else await spec.run(options as never);
    });
  }
  return program;
}
