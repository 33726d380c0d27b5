import type { Command } from "commander";

/** One subcommand of eigensam. */
export interface CliCommand<Options = never> {
  readonly name: string;
  /** One line of help. */
  readonly summary: string;
  /** It computes in this process, which therefore restarts with the tuned allocator first. */
  readonly computes: boolean;
  /** Declares arguments, and options with their defaults. */
  configure(command: Command): void;
  /** `args` are the positional arguments in order. */
  run(options: Options, args: readonly string[]): Promise<void>;
}
