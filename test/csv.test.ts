import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { loadPenguins } from "../examples/data/penguins.ts";
import { readCsv } from "../src/data/csv-file.ts";
import type { Dataset, LoadOptions, Split } from "../src/data/dataset.ts";
import { loadDataset, loadRun, type TrainEvent, type TrainOptions, train } from "../src/node.ts";
import type { SavedWeights } from "../src/train/examples.ts";
import { scoreWeights } from "../src/train/restore.ts";
import { trainRun } from "../src/train/run-dir.ts";
import { runFiles } from "../src/run/files.ts";
import { ConfigError, DataError } from "../src/util/errors.ts";
import { inPackage } from "../src/util/package.ts";

const folder = mkdtempSync(join(tmpdir(), "eigensam-csv-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A file of the text, and its path. */
function csv(name: string, text: string | Uint8Array): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

const load = async (options: LoadOptions): Promise<Dataset & { readonly train: Split }> => {
  const dataset = await loadDataset("csv", options);
  return { ...dataset, train: dataset.train as Split };
};

const [head = "", ...birds] = readFileSync(inPackage("datasets/penguins/penguins.csv"), "utf8").trim().split("\n");
const known = birds.filter((bird) => !bird.includes("NA"));
const penguins = {
  file: csv("penguins.csv", [head, ...known.filter((_, i) => i % 5 !== 0)].join("\n")),
  testFile: csv("penguins-test.csv", [head, ...known.filter((_, i) => i % 5 === 0)].join("\n")),
};

describe("a table", () => {
  it("has the numbers of the example's own reader, standardized by the training rows", async () => {
    const columns = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "species", "island", "sex"];
    const { train, test, inputShape, targets, table } = await load({ ...penguins, target: "body_mass_g", columns });
    const own = loadPenguins();
    expect([inputShape, targets]).toEqual([[11], { kind: "values", shape: [1] }]);
    expect(table!.target).toEqual({ name: "body_mass_g", mean: own.grams.mean, std: expect.closeTo(own.grams.std, 9) });
    for (const [split, expected] of [
      [train, own.train],
      [test!, own.test],
    ] as const) {
      expect(split.count).toBe(expected.x.length);
      for (const [row, values] of expected.x.entries()) {
        expect(split.y[row]).toBeCloseTo(expected.y[row]![0]!, 6);
        for (const [column, value] of values.entries()) {
          const given = split.x[row * 11 + column]!;
          // The example standardizes indicators too: there, those that are 1 are above the mean.
          if (column < 3) expect(given).toBeCloseTo(value, 6);
          else expect(given).toBe(Number(value > 0));
        }
      }
    }
  });

  it("has text as classes by name, and whole numbers on request", async () => {
    const species = await load({ ...penguins, target: "species" });
    expect(species.classNames).toEqual(["Adelie", "Chinstrap", "Gentoo"]);
    expect([...species.test!.y.slice(0, 3), species.test!.y.at(-1)]).toEqual([0, 0, 0, 1]);
    const file = csv("levels.csv", "level,x\n10,1\n2,2\n 2.0 ,3\n-1,4\n");
    const levels = await load({ file, target: "level", classes: true });
    expect([levels.classNames, [...levels.train.y]]).toEqual([
      ["-1", "2", "10"],
      [2, 1, 1, 0],
    ]);
    const values = await load({ file, target: "level" });
    expect(values.targets).toEqual({ kind: "values", shape: [1] });
    expect(values.table!.target.mean).toBeCloseTo(13 / 4, 12);
  });

  it("may have quotes, CRLF, a byte-order mark and blank lines, and be packed; a constant column becomes zeros", async () => {
    const text = '\uFEFF"a, b",y\r\n"0.1","say ""hi"""\r\n\r\n1e-1,"two\nlines"\r\n.1,x\r\n';
    const { train, classNames, table } = await load({ file: csv("odd.csv.gz", gzipSync(text)), target: "y" });
    expect(classNames).toEqual(['say "hi"', "two\nlines", "x"]);
    expect(table!.columns).toEqual([{ name: "a, b", mean: 0.1, std: 1 }]);
    expect([[...train.x], [...train.y]]).toEqual([
      [0, 0, 0],
      [0, 1, 2],
    ]);
  });

  it.each<[string, string | Uint8Array, Partial<LoadOptions>, new (...args: never[]) => Error, string]>([
    ["a ragged row", "x,y\n1,a\n2\n", {}, DataError, "row 2 has 1 cell, the header has 2"],
    ["a missing value", "x,y\n1,a\nNA,b\n", {}, DataError, 'column x has no value in row 2: "NA"'],
    ["a missing target", "x,y\n1,a\n2,\n", {}, DataError, 'column y has no value in row 2: ""'],
    ["an unknown column", "x,z\n1,2\n", {}, ConfigError, 'has no column "y"'],
    ["a misspelt column", "width,y\n1,a\n", { columns: ["widht"] }, ConfigError, "did you mean width?"],
    ["a column twice", "x,x,y\n1,2,a\n", {}, DataError, 'two columns are called "x"'],
    ["text among numbers", "x,y\n1,a\n1;5,b\n", {}, DataError, 'column x holds numbers, but "1;5" in row 2'],
    ["a number among text", "x,y\na,a\n5,b\n", {}, DataError, 'column x holds numbers, but "a" in row 1'],
    ["a number beyond all", "x,y\n1,a\n1e999,b\n", {}, DataError, 'column x holds numbers, but "1e999" in row 2'],
    [
      "numbers without a mean",
      "x,y\n1e308,a\n1.5e308,b\n",
      {},
      DataError,
      "column x has 1e308 in row 1, too far from its mean",
    ],
    ["one class", "x,y\n1,a\n2,a\n", {}, DataError, "column y has one class alone, a"],
    ["fractions as classes", "x,y\n1,1\n2,1.5\n", { classes: true }, DataError, "column y has 1.5 in row 2"],
    ["text as real values", "x,y\n1,a\n2,b\n", { classes: false }, ConfigError, "column y of"],
    [
      "the target among the columns",
      "x,y\n1,a\n",
      { columns: ["x", "y"] },
      ConfigError,
      "y is to be predicted from itself",
    ],
    ["nothing else", "y\na\n", {}, ConfigError, "y is to be predicted from no column"],
    ["a header alone", "x,y\n", {}, DataError, "no rows"],
    ["nothing", "", {}, DataError, "no rows"],
    ["an open quote", 'x,y\n"1,a\n', {}, DataError, "a quote is not closed"],
    ["bytes that are no text", Uint8Array.of(0x78, 0x0a, 0xff, 0xfe), {}, DataError, "not in UTF-8"],
  ])("is refused with %s", async (name, text, options, kind, message) => {
    const loading = load({ file: csv(`${name}.csv`, text), target: "y", ...options });
    await expect(loading).rejects.toThrow(message);
    await expect(loading).rejects.toBeInstanceOf(kind);
  });

  it("is refused where a test row has what no training row has, or settings are missing", async () => {
    const file = csv("colours.csv", "colour,y\nred,a\nblue,b\n");
    const test = (text: string) => load({ file, target: "y", testFile: csv("colours-test.csv", text) });
    await expect(test("colour,y\ngreen,a\n")).rejects.toThrow('column colour has "green" in row 1');
    await expect(test("colour,y\nred,c\n")).rejects.toThrow('column y has "c" in row 1');
    await expect(load({ file })).rejects.toThrow("data.name=csv needs data.target");
    await expect(load({ target: "y" })).rejects.toThrow("data.name=csv needs data.file");
    await expect(load({ file: join(folder, "nowhere.csv"), target: "y" })).rejects.toThrow("cannot be read");
  });
});

it("is refused by a network for images, as arrays of rows are", async () => {
  const arrays = {
    train: {
      x: [
        [0, 1],
        [1, 0],
      ],
      y: [0, 1],
    },
  };
  const rows = train({ data: { ...arrays, classes: 2 }, model: "resnet18", method: { name: "sgd" } }).done;
  await expect(rows).rejects.toThrow("the network takes no rows of 2 numbers, as the examples are");
  const data = { name: "csv", file: penguins.file, target: "species" } as const;
  const training = train({ data, model: "resnet18", method: { name: "sgd" } }).done;
  await expect(training).rejects.toThrow("the network takes no rows of 10 numbers, as the table has");
  await expect(training).rejects.toBeInstanceOf(ConfigError);
});

it("trains, and scores as it did without its training rows", async () => {
  const dir = join(folder, "run");
  const file = csv("gone.csv", readFileSync(penguins.file));
  await using trained = await train({
    ...{ data: { name: "csv", file, testFile: penguins.testFile, target: "species" }, dir, batch: 32, threads: 1 },
    ...{ model: { name: "mlp", width: 8 }, method: { name: "sam", rho: 0.05 }, epochs: 10 },
  }).done;
  expect(trained.test!.accuracy).toBeGreaterThan(0.95);
  rmSync(file);
  const record = trainRun.readRecord(dir)!;
  const { format, digests } = record.data;
  expect(format!.table!.columns.map(({ name }) => name)).toEqual(readCsv(penguins.testFile).header.slice(1));
  const config = trainRun.readConfig(dir);
  const saved: SavedWeights = { config, path: runFiles(dir).weights, run: dir, format, digests };
  const { classes, ...score } = await scoreWeights(saved, "test", undefined, { classes: true });
  expect({ loss: score.loss, accuracy: score.accuracy }).toEqual(trained.test);
  const counted = (species: string) => known.filter((bird, i) => i % 5 === 0 && bird.startsWith(species)).length;
  expect(classes!.map(({ name, n }) => [name, n])).toEqual(
    ["Adelie", "Chinstrap", "Gentoo"].map((name) => [name, counted(name)]),
  );
  const few = csv("few.csv", [head, ...known.slice(0, 3)].join("\n"));
  const others = { ...saved, config: { ...config, data: { ...config.data, testFile: few } }, others: true };
  expect((await scoreWeights({ ...others, digests: undefined }, "test")).n).toBe(3);
  await using loaded = await loadRun(dir);
  expect(loaded.test).toEqual(trained.test);
});

it("resumes a stopped run to the same bytes", async () => {
  const options: TrainOptions = {
    data: { name: "csv", ...penguins, target: "body_mass_g", columns: ["sex", "bill_depth_mm"] },
    ...{ model: { name: "mlp", width: 4 }, method: { name: "sam", rho: 0.05 }, epochs: 3, batch: 64, threads: 1 },
  };
  const [whole, parted] = [join(folder, "whole"), join(folder, "parted")];
  await train({ ...options, dir: whole }).done;
  const stop = new AbortController();
  const onEvent = (event: TrainEvent) => {
    if (event.event === "step" && event.step === 4) stop.abort();
  };
  const stopped = await train({ ...options, dir: parted }, { signal: stop.signal, onEvent }).done;
  expect([stopped.status, stopped.steps]).toEqual(["stopped", 5]);
  expect((await train({ ...options, dir: parted }).done).status).toBe("done");
  for (const path of ["weights", "metrics"] as const)
    expect(readFileSync(runFiles(parted)[path])).toEqual(readFileSync(runFiles(whole)[path]));
});
