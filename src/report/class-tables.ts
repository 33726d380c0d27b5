import { join } from "node:path";
import type { ClassScore, ClassScores } from "../train/class-scores.ts";
import { makeFolder, writeAtomic } from "../util/files.ts";
import { cellsOf, type Table, toCsv, toMarkdown } from "./table.ts";

const MEASURES = ["precision", "recall", "f1"] as const;

const percent = (value: number | null): string => (value === null ? "–" : `${(100 * value).toFixed(1)}%`);

/** Mean over the classes that have the measure; of none, null. */
function mean(classes: readonly ClassScore[], measure: (typeof MEASURES)[number]): number | null {
  const known = classes.map((score) => score[measure]).filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}

/** Precision, recall and F1 of each class, and their means. */
function scoresTable(classes: readonly ClassScore[]): Table {
  const total = classes.reduce((sum, { n }) => sum + n, 0);
  const means = MEASURES.map((measure) => mean(classes, measure));
  return {
    name: "classes",
    title: "Scores by class",
    head: ["class", "n", "precision", "recall", "F1"],
    rows: [
      ...classes.map((score) =>
        cellsOf([score.name, String(score.n), ...MEASURES.map((measure) => percent(score[measure]))]),
      ),
      cellsOf(["mean", String(total), ...means.map(percent)]),
    ],
    note: "Precision: the part of the examples taken for a class that are of it. Recall: the part of its examples that were found. F1: their harmonic mean. The last line has means over the classes that have the score, and the number of all examples.",
    csv: [
      ["label", "class", "n", "predicted", ...MEASURES],
      ...classes.map((score) => [
        ...[score.label, score.name, score.n, score.predicted],
        ...MEASURES.map((measure) => score[measure] ?? ""),
      ]),
    ],
  };
}

/** How many examples of each class were taken for each. */
export function confusionTable(names: readonly string[], confusion: readonly (readonly number[])[]): Table {
  return {
    name: "confusion",
    title: "Confusion matrix",
    head: ["class", ...names],
    rows: confusion.map((row, label) => cellsOf([names[label]!, ...row.map(String)])),
    note: "Rows: the class of the examples. Columns: what they were taken for.",
    csv: [["class", ...names], ...confusion.map((row, label) => [names[label]!, ...row])],
  };
}

/** The tables of scores by class; none where they were not asked for. */
export const classTables = ({ classes, confusion }: ClassScores): Table[] =>
  classes && confusion
    ? [
        scoresTable(classes),
        confusionTable(
          classes.map(({ name }) => name),
          confusion,
        ),
      ]
    : [];

/** Writes tables to a folder as Markdown and CSV, and returns their paths. */
export function writeTables(out: string, tables: readonly Table[]): string[] {
  makeFolder(out);
  return tables.flatMap((table) =>
    Object.entries({ md: toMarkdown(table), csv: toCsv(table) }).map(([ending, text]) => {
      const path = join(out, `${table.name}.${ending}`);
      writeAtomic(path, text);
      return path;
    }),
  );
}
