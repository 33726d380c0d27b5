import { ConfigError } from "../util/errors.ts";
import { type CsvFile, readCsv } from "./csv-file.ts";
import type { Dataset, LoadOptions, Split } from "./dataset.ts";
import { defineDataset } from "./entry.ts";
import { fitTable, inputsOf, type TableFormat, targetsOf, widthOf } from "./table.ts";

/** Throws where the settings name no file. */
function given(path: string | undefined, key: string): string {
  if (path !== undefined) return path;
  throw new ConfigError(
    `data.name=csv needs ${key}`,
    { key },
    "for example data.file=train.csv data.testFile=test.csv data.target=COLUMN",
  );
}

const splitOf = (file: CsvFile, table: TableFormat, classNames: readonly string[] | undefined): Split => ({
  x: inputsOf(file, table),
  y: targetsOf(file, table, classNames),
  count: file.rows.length,
});

/** Tables of the user. Its training rows decide how columns are standardized, and which classes there are. */
export function loadCsv({ file, testFile, target, columns, classes }: LoadOptions): Dataset {
  const train = readCsv(given(file, "data.file"));
  const { table, targets, classNames } = fitTable(train, { target: given(target, "data.target"), columns, classes });
  return {
    ...{ name: "csv", inputShape: [widthOf(table)], mean: [], std: [], targets, classNames, table },
    train: splitOf(train, table, classNames),
    ...(testFile === undefined ? {} : { test: splitOf(readCsv(testFile), table, classNames) }),
  };
}

export const csv = defineDataset({
  name: "csv",
  summary: "a table of your own with a column to predict, as .csv files",
  model: "mlp",
  load: loadCsv,
  part: ({ file, testFile }, part, { table, classNames }) => {
    const path = part === "train" ? given(file, "data.file") : given(testFile, "data.testFile");
    // A run without a table was trained on other data, whose format its examples must have.
    if (table === undefined) return undefined;
    return { split: splitOf(readCsv(path), table, classNames), inputShape: [widthOf(table)] };
  },
});
