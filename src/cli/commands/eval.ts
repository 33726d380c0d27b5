import { ConfigError, InputError } from "../../util/errors.ts";
import { assertFolderWritable } from "../../util/places.ts";
import { percent } from "../format.ts";
import { registry } from "../plugins.ts";
import { weightsSource, type WeightsOptions, weightsArguments } from "../train/weights-source.ts";
import { emit, say } from "../ui.ts";
import { positiveInteger } from "../values.ts";
import type { CliCommand } from "./command.ts";

interface EvalOptions extends WeightsOptions {
  readonly classes?: true;
  readonly topK?: number;
  readonly bnBatches?: number;
  readonly out?: string;
  readonly json?: true;
}

/** More columns than this fit on no terminal. */
const WIDEST_MATRIX = 20;

export const evaluate: CliCommand<EvalOptions> = {
  configure: (command) => {
    weightsArguments(command, "test")
      .option("--classes", "precision, recall and F1 of each class, and the confusion matrix")
      .option("--top-k <k>", "accuracy of the k largest outputs as well", positiveInteger)
      .option(
        "--bn-batches <n>",
        "take batch norm's running statistics anew from n training mini-batches, before",
        positiveInteger,
      )
      .option("--out <dir>", "folder for the tables of --classes, as Markdown and CSV")
      .option("--json", "{loss, accuracy, n} on stdout, with {topK, classes, confusion} where asked for");
  },
  run: async (options, args) => {
    const { classes, topK, bnBatches, out } = options;
    if (out !== undefined && classes === undefined)
      throw new ConfigError("--out was given without --classes", { out }, "the folder holds the tables of --classes");
    if (out !== undefined) assertFolderWritable(out);
    const saved = await weightsSource(options, args);
    const { path } = saved;
    const { scoreWeights } = await import("../../train/restore.ts");
    const request = {
      ...(classes ? { classes } : {}),
      ...(topK === undefined ? {} : { topK }),
      ...(bnBatches === undefined ? {} : { bnBatches }),
    };
    const { name, ...score } = await scoreWeights(saved, options.split ?? "test", registry(), request);
    if (!Number.isFinite(score.loss))
      throw new InputError(`${path}: the loss is ${score.loss} on ${name}`, { path }, "is it of this data?");
    const { classTables, writeTables } = await import("../../report/class-tables.ts");
    const tables = classTables(score);
    const written = out === undefined ? [] : writeTables(out, tables);
    if (options.json) emit(score);
    else {
      const accuracies = [
        ...(score.accuracy === undefined ? [] : [`accuracy ${percent(score.accuracy, 2)}, `]),
        ...(score.topK === undefined ? [] : [`top-${score.topK.k} ${percent(score.topK.accuracy, 2)}, `]),
      ];
      console.log(`${path} on ${name}: ${accuracies.join("")}loss ${score.loss.toFixed(4)}, n ${score.n}`);
      const { textTable } = await import("../text-table.ts");
      for (const table of tables) {
        const fits = table.head.length <= WIDEST_MATRIX + 1;
        console.log(`\n${table.title}`);
        for (const line of fits ? textTable(table) : [`${table.rows.length} classes: see --out or --json`])
          console.log(line);
      }
      if (tables.length > 0) console.log(`\n${tables.map(({ note }) => note).join("\n")}`);
    }
    if (written.length > 0) say(`${out}: ${written.length} files`);
  },
};
