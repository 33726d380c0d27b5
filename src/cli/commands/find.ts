import { find, type FindOptions } from "../find/find.ts";
import type { Finder } from "../find/finders.ts";
import { poolOptions } from "../run-tasks.ts";
import { seedList } from "../seeds.ts";
import { positiveInteger, positiveNumber } from "../values.ts";
import type { CliCommand } from "./command.ts";

/** The command that finds one setting by short runs. */
export function findCommand(name: string, finder: Finder): CliCommand<FindOptions> {
  const { symbol, title, octaves, zero, key } = finder;
  const [least, most] = octaves.map((octave) => 2 ** octave);
  return {
    configure: (command) => {
      poolOptions(command)
        .argument("[settings...]", "those of eigensam train: CONFIG.toml first if any, then key=value")
        .option("--from <value>", `smallest ${title} (default: ${least} times ${key})`, positiveNumber)
        .option("--to <value>", `largest ${title} (default: ${most} times ${key})`, positiveNumber)
        .option(
          "--points <n>",
          "values from one to the other, by equal factors (default: one per factor of 2)",
          positiveInteger,
        )
        .option(
          "--examples <n>",
          "training examples of each run (default: a fifth of them, at least 4 mini-batches)",
          positiveInteger,
        )
        .option("--seeds <list>", "runs of each value", seedList, seedList("1..3"))
        .option("--out <dir>", "where the runs go; the same command makes what is missing", `runs/${name}`)
        .option("--json", "one JSON line per run and one with the answer on stdout")
        .addHelpText(
          "after",
          `\nTrains shortly with each ${title} ${symbol}${zero === undefined ? "" : `, and with 0, ${zero}`}. It prints the mean validation loss by ${symbol}, and which ${symbol} to take with the reason.`,
        );
    },
    run: (options, args) => find(finder, options, args),
  };
}
