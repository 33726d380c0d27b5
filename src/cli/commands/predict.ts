import type { FilePrediction } from "../../train/predict.ts";
import { ConfigError } from "../../util/errors.ts";
import { isWeightsFile } from "../../util/files.ts";
import { registry } from "../plugins.ts";
import { weightsSource } from "../train/weights-source.ts";
import { emit } from "../ui.ts";
import type { CliCommand } from "./command.ts";

interface PredictOptions {
  readonly best?: true;
  readonly all?: true;
  readonly json?: true;
}

/** The prediction of one example. */
type Row = { readonly file: string; readonly row: number } & (
  | {
      readonly class: string;
      readonly label: number;
      readonly probability: number;
      /** In the order of the labels. */
      readonly probabilities?: readonly number[];
    }
  | { readonly value: number }
  | { readonly values: readonly number[] }
);

export const predict: CliCommand<PredictOptions> = {
  configure: (command) => {
    command
      .argument("<run>", "a run directory")
      .argument(
        "<file...>",
        ".csv files where the run was trained on a table, else .npy arrays, .png and .jpg images, or folders of them",
      )
      .option("--best", "the run's weights of best validation accuracy, not the last ones")
      .option("--all", "the probability of every class as well, in the order of labels")
      .option("--json", "JSON lines on stdout, not CSV: {file, row, class, label, probability} or {file, row, value}");
  },
  run: async ({ best, all, json }, [run = "", ...files]) => {
    if (isWeightsFile(run))
      throw new ConfigError(
        `${run} is a file of weights`,
        { run },
        "give the directory of the run, which knows its data",
      );
    const saved = await weightsSource(best ? { best } : {}, [run]);
    const { predictFiles } = await import("../../train/predict.ts");
    const { csvOf } = await import("../../report/table.ts");
    let head: string | undefined;
    for await (const prediction of predictFiles(saved, files, registry())) {
      if (all && prediction.classNames === undefined)
        throw new ConfigError("--all was given, but the run predicts real values", { run }, "leave it out");
      const rows = rowsOf(prediction, all === true);
      if (json) for (const row of rows) emit(row);
      else {
        const title = head ?? csvOf([titlesOf(prediction, all === true)]);
        process.stdout.write(`${head === undefined ? title : ""}${csvOf(rows.map(cellsOf))}`);
        head = title;
      }
    }
  },
};

/** The examples of a file, counted from 1. A class is that of the largest probability, of equal ones the first. */
function rowsOf({ file, images, count, width, data, classNames }: FilePrediction, all: boolean): Row[] {
  return Array.from({ length: count }, (_, i): Row => {
    const values = [...data.subarray(i * width, (i + 1) * width)];
    const place = images ? { file: images[i]!, row: 1 } : { file, row: i + 1 };
    if (classNames === undefined) return { ...place, ...(width === 1 ? { value: values[0]! } : { values }) };
    const probability = Math.max(...values);
    const label = values.indexOf(probability);
    return { ...place, class: classNames[label]!, label, probability, ...(all ? { probabilities: values } : {}) };
  });
}

const titlesOf = ({ width, classNames }: FilePrediction, all: boolean): string[] => [
  ...["file", "row"],
  ...(classNames
    ? ["class", "probability", ...(all ? classNames.map((name) => `probability of ${name}`) : [])]
    : width === 1
      ? ["value"]
      : Array.from({ length: width }, (_, i) => `value ${i + 1}`)),
];

function cellsOf(row: Row): (string | number)[] {
  const place = [row.file, row.row];
  if ("value" in row) return [...place, row.value];
  if ("values" in row) return [...place, ...row.values];
  return [...place, row.class, row.probability, ...(row.probabilities ?? [])];
}
