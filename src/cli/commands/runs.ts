import { type FoundSummaries, listRuns } from "../../experiments/run-list/index.ts";
import { fields, textOf } from "../../experiments/run-list/keys.ts";
import type { RunSummary } from "../../experiments/run-list/summary.ts";
import { printable } from "../../report/printable.ts";
import { csvOf } from "../../report/table.ts";
import { ConfigError } from "../../util/errors.ts";
import { columnsFor, type RunColumn } from "../run-list/columns.ts";
import { showRuns } from "../run-list/show.ts";
import { exportRuns } from "../run-list/tensorboard.ts";
import { emit, say } from "../ui.ts";
import type { CliCommand } from "./command.ts";

interface RunsOptions {
  readonly filter?: readonly string[];
  readonly sort?: string;
  readonly columns?: string;
  readonly compare?: true;
  readonly json?: true;
  readonly csv?: true;
  readonly tensorboard?: string;
}

export const runs: CliCommand<RunsOptions> = {
  configure: (command) => {
    command
      .argument("[folders...]", "run directories, or folders with runs at any depth (default: runs)")
      .option(
        "--filter <filter>",
        'key=value, also with !=, <, <=, > and >=, as in "testAccuracy>80%"; may be repeated',
        (filter: string, others: readonly string[] = []) => [...others, filter],
      )
      .option("--sort <keys>", "comma-separated keys, each with :desc where the largest comes first (default: name)")
      .option("--columns <keys>", "comma-separated keys: dotted settings, or fields as --json has them")
      .option("--compare", "the settings in which the runs differ, beside their results")
      .option("--json", "a line per run on stdout")
      .option("--csv", "comma-separated values on stdout, unrounded")
      .option(
        "--tensorboard <dir>",
        "instead of a list: their metrics for TensorBoard, in a folder per run of training",
      );
  },
  run: async ({ filter = [], sort, columns: named, compare, json, csv, tensorboard }, folders) => {
    if (json && csv) throw new ConfigError("--json and --csv exclude each other", {}, "give one of them");
    const found = await listRuns(folders.length === 0 ? ["runs"] : folders, { filters: filter, sort });
    if (tensorboard !== undefined) {
      await exportRuns(found.runs, tensorboard);
      sayRest(found);
      return;
    }
    const columns = columnsFor({ columns: named, compare }, found.runs, found.find);
    const all = [...found.runs, ...found.damaged];
    const whole = named === undefined && !compare;
    if (json) for (const run of all) emit(whole ? everythingOf(run) : valuesOf(columns, run));
    else if (csv) process.stdout.write(csvFor(columns, all));
    else showRuns(columns, found, { compare: compare ?? false });
    sayRest(found);
  },
};

const valuesOf = (columns: readonly RunColumn[], run: RunSummary) =>
  Object.fromEntries(columns.map(({ key: { key, of } }) => [key, of(run) ?? null]));

/** All that is known of a run, with its settings by dotted key. */
function everythingOf(run: RunSummary) {
  const known = Object.entries(fields).map(([key, { of }]) => [key, of(run)]);
  return { ...Object.fromEntries(known), settings: Object.fromEntries(run.settings) };
}

const csvFor = (columns: readonly RunColumn[], runs: readonly RunSummary[]): string => {
  const keys = columns.map(({ key }) => key);
  const rows = runs.map((run) => keys.map(({ of }) => textOf(of(run))));
  return printable(csvOf([keys.map(({ key }) => key), ...rows]));
};

/** What a list does not show. */
function sayRest({ runs, damaged, counts }: FoundSummaries): void {
  if (runs.length + damaged.length === 0) say(`none of ${counts.all} runs fits`);
  const hidden = counts.damaged - damaged.length;
  if (hidden > 0)
    say(`${hidden} damaged ${hidden === 1 ? "run is" : "runs are"} filtered out; --filter status=damaged shows`);
}
