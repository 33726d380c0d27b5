import type { Command } from "commander";

/** How one subcommand of eigensam is called, and what it does. */
export interface CliCommand<Options = never> {
  /** Declares arguments, and options with their defaults. */
  configure(command: Command): void;
  /** `args` are the positional arguments in order. */
  run(options: Options, args: readonly string[]): Promise<void>;
}
