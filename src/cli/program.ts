import { Command } from "commander";
import type { CliCommand } from "./commands/command.ts";
import { commands } from "./commands/index.ts";
import { ConfigError } from "../util/errors.ts";
import { packageVersion } from "../util/package.ts";

/**
 * The command line. Only commands that are `loaded` have their arguments and can be run; of the others it knows the names. Parsing throws
 * CommanderError where it would exit.
 */
export function programOf(loaded: ReadonlyMap<string, CliCommand>): Command {
  const program = new Command("eigensam")
    .description("Sharpness-aware training on ONNX Runtime: SGD, SAM, Eigen-SAM, and curvature")
    .version(packageVersion, "-V, --version", "print the version")
    .helpOption("-h, --help", "print help")
    .helpCommand("help [command]", "print help for a command")
    .configureHelp({ subcommandTerm: (command) => command.name() })
    // main.ts says what is wrong, as of every other error.
    .configureOutput({ outputError: () => undefined })
    .exitOverride();
  for (const { name, summary } of commands) {
    const command = program.command(name).description(summary).helpOption("-h, --help", "print help");
    const spec = loaded.get(name);
    if (spec === undefined) continue;
    spec.configure(command);
    command.option(
      "--plugin <file>",
      "a module that exports methods, models, data sets, losses or step metrics; may be repeated",
    );
    command.action(async (...given: unknown[]) => {
      // Commander hands over the arguments (a list where they repeat), then the options, then the command.
      const args = (given.slice(0, -2).flat() as (string | undefined)[]).filter((arg) => arg !== undefined);
      assertFilled(given.at(-2) as Record<string, unknown>, args, command);
      // loadPlugins has read it before the command was declared.
      const { plugin: _, ...options } = given.at(-2) as Record<string, unknown>;
      await spec.run(options as never, args);
    });
  }
  return program;
}

/** An empty word is a variable of the shell that is not set; as a path it would mean the current folder. An option is no value either. */
function assertFilled(options: Readonly<Record<string, unknown>>, args: readonly string[], command: Command): void {
  if (args.includes("")) throw new ConfigError("an argument is empty", { args }, "is a variable of the shell not set?");
  for (const option of command.options) {
    const name = option.long ?? option.flags;
    const values = [options[option.attributeName()]].flat();
    if (values.includes("")) throw new ConfigError(`${name} is empty`, { name }, `give a value: ${option.flags}`);
    const other = command.options.find(({ long }) => long !== undefined && values.includes(long))?.long;
    if (other !== undefined)
      throw new ConfigError(
        `${name} needs a value, got the option ${other}`,
        { name },
        `give a value: ${option.flags}`,
      );
  }
}
