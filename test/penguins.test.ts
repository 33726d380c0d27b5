import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { loadPenguins } from "../examples/data/penguins.ts";
import { inPackage } from "../src/util/package.ts";

const table = readFileSync(inPackage("datasets/penguins/penguins.csv"), "utf8");

it("ships the table whose checksum its provenance states", () => {
  const provenance = readFileSync(inPackage("datasets/penguins/PROVENANCE.md"), "utf8");
  expect(provenance).toContain(createHash("sha256").update(table).digest("hex"));
});

it("has the birds and the means that its authors published", () => {
  const rows = table.trim().split("\n").slice(1);
  const known = (column: number) =>
    rows.map((row) => row.split(",")[column]!).flatMap((text) => (text === "NA" ? [] : [Number(text)]));
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value) / values.length;
  expect(rows).toHaveLength(344);
  expect(known(5)).toHaveLength(342);
  expect(mean(known(5))).toBeCloseTo(4201.75, 2);
  expect(mean(known(4))).toBeCloseTo(200.915, 3);
});

it("gives standardized features and masses that turn back into grams", () => {
  const { train, test, names, grams } = loadPenguins();
  expect([train.x.length, train.y.length, test.x.length, test.y.length]).toEqual([266, 266, 67, 67]);
  for (const [column, name] of names.entries()) {
    const values = train.x.map((row) => row[column]!);
    expect(values.reduce((sum, value) => sum + value) / 266, name).toBeCloseTo(0, 12);
    expect(values.reduce((sum, value) => sum + value * value, 0) / 266, name).toBeCloseTo(1, 12);
  }
  expect(train.x.concat(test.x).every((row) => row.length === names.length && row.every(Number.isFinite))).toBe(true);
  expect(grams.mean + test.y[0]![0]! * grams.std).toBeCloseTo(3750, 9); // the table's first bird
  expect(grams.mean + train.y[0]![0]! * grams.std).toBeCloseTo(3800, 9); // its second
});
