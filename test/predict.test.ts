import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { predict } from "../src/cli/commands/predict.ts";
import { type Dataset, defineDataset, loadDataset, type Trained, type TrainOptions, train } from "../src/node.ts";
import { runFiles } from "../src/run/files.ts";
import type { SavedWeights } from "../src/train/examples.ts";
import { type FilePrediction, predictFiles } from "../src/train/predict.ts";
import { builtIn, extended, type Registry } from "../src/train/registry.ts";
import { trainRun, trainRunOf } from "../src/train/run-dir.ts";
import { ConfigError, DataError } from "../src/util/errors.ts";
import { inPackage } from "../src/util/package.ts";
import { npyBytes } from "./support/npy.ts";

const folder = mkdtempSync(join(tmpdir(), "eigensam-predict-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string) => join(folder, name);
const file = (name: string, data: string | Uint8Array): string => {
  writeFileSync(at(name), data);
  return at(name);
};

const [head = "", ...birds] = readFileSync(inPackage("datasets/penguins/penguins.csv"), "utf8").trim().split("\n");
const known = birds.filter((bird) => !bird.includes("NA"));
const testBirds = known.filter((_, i) => i % 5 === 0);
const penguins = {
  file: file("penguins.csv", [head, ...known.filter((_, i) => i % 5 !== 0)].join("\n")),
  testFile: file("penguins-test.csv", [head, ...testBirds].join("\n")),
};
const column = (name: string) => testBirds.map((bird) => bird.split(",")[head.split(",").indexOf(name)]!);
/** The rows to predict, without the column that is predicted. */
const without = (name: string) => {
  const place = head.split(",").indexOf(name);
  const rows = [head, ...testBirds].map((line) => line.split(",").toSpliced(place, 1).join(","));
  return file(`without-${name}.csv`, rows.join("\n"));
};

const trainIn = (dir: string, data: TrainOptions["data"], over: Partial<TrainOptions> = {}): Promise<Trained> =>
  train({
    ...{ data, dir: at(dir), model: { name: "mlp", width: 8 }, method: { name: "sgd" } },
    ...{ optimizer: { lr: 0.05 }, epochs: 4, batch: 32, threads: 1, ...over },
  }).done;

const saved = (dir: string, registry: Registry): SavedWeights => {
  const kind = trainRunOf(registry);
  const { format, digests } = kind.readRecord(at(dir))!.data;
  return { config: kind.readConfig(at(dir)), path: runFiles(at(dir)).weights, run: at(dir), format, digests };
};

async function predicted(dir: string, path: string, registry = builtIn): Promise<FilePrediction[]> {
  const all = [];
  for await (const prediction of predictFiles(saved(dir, registry), [path], registry)) all.push(prediction);
  return all;
}

/** What the command writes to its standard output. */
async function printed(options: Parameters<typeof predict.run>[0], ...args: readonly string[]): Promise<string> {
  let text = "";
  const write = vi.spyOn(process.stdout, "write").mockImplementation((some) => {
    text += some;
    return true;
  });
  try {
    await predict.run(options, args);
  } finally {
    write.mockRestore();
  }
  return text;
}

describe("predictions for the rows of a table", () => {
  let species: Trained;
  let mass: Trained;
  beforeAll(async () => {
    species = await trainIn("species", { name: "csv", ...penguins, target: "species" });
    mass = await trainIn("mass", { name: "csv", ...penguins, target: "body_mass_g" });
    await Promise.all([species.release(), mass.release()]);
  });

  it("are those of the network on the encoded rows, and right as often as its test says", async () => {
    const [prediction] = await predicted("species", without("species"));
    const { test } = await loadDataset("csv", { ...penguins, target: "species" });
    const inputs = { data: test!.x, shape: [test!.count, 10] };
    expect([...prediction!.data]).toEqual([...(await species.predict(inputs)).data]);
    expect(prediction!.classNames).toEqual(["Adelie", "Chinstrap", "Gentoo"]);
    const lines = (await printed({}, at("species"), without("species"))).trim().split("\n");
    expect(lines[0]).toBe("file,row,class,probability");
    const right = lines.slice(1).filter((line, i) => line.split(",")[2] === column("species")[i]).length;
    expect(right / testBirds.length).toBeCloseTo(species.test!.accuracy!, 12);
    const [first] = (await printed({ json: true, all: true }, at("species"), without("species"))).split("\n");
    expect(JSON.parse(first!)).toEqual({
      ...{ file: at("without-species.csv"), row: 1, class: "Adelie", label: 0 },
      probability: prediction!.data[0],
      probabilities: [...prediction!.data.subarray(0, 3)],
    });
  });

  it("of real values are in the unit of the table: their errors give the loss of the test", async () => {
    const lines = (await printed({}, at("mass"), without("body_mass_g"))).trim().split("\n");
    expect(lines[0]).toBe("file,row,value");
    const grams = column("body_mass_g").map(Number);
    const { std } = trainRun.readRecord(at("mass"))!.data.format!.table!.target;
    const squared = grams.map((y, i) => ((Number(lines[i + 1]!.split(",")[2]) - y) / std!) ** 2);
    expect(squared.reduce((a, b) => a + b) / squared.length).toBeCloseTo(mass.test!.loss, 5);
    await expect(printed({ all: true }, at("mass"), without("body_mass_g"))).rejects.toThrow("predicts real values");
  });

  it("of several files follow each other under one head, and name classes that are numbers in order", async () => {
    const levels = file("levels.csv", `level,x\n${"10,1\n2,2\n-1,3\n10,1.1\n2,2.1\n-1,2.9\n".repeat(10)}`);
    const data = { name: "csv", file: levels, target: "level", classes: true } as const;
    await (await trainIn("levels", data, { batch: 6, validation: 0, epochs: 8 })).release();
    const files = [file("one.csv", "x\n1.05\n"), file("two.csv", "y,x\n7,2.05\n7,2.95\n")];
    const [titles, ...rows] = (await printed({ all: true }, at("levels"), ...files)).trim().split("\n");
    expect(titles).toBe("file,row,class,probability,probability of -1,probability of 2,probability of 10");
    const cells = rows.map((row) => row.split(","));
    expect(cells.map(([name, row, level]) => [name, row, level])).toEqual([
      [files[0], "1", "10"],
      [files[1], "1", "2"],
      [files[1], "2", "-1"],
    ]);
    for (const [, , level, probability, ...each] of cells)
      expect(each[["-1", "2", "10"].indexOf(level!)]).toBe(probability);
  });

  it("are refused where a file does not fit", async () => {
    const one = (text: string) => predicted("species", file("odd.csv", text));
    await expect(one("island\nDream\n")).rejects.toThrow('has no column "bill_length_mm"');
    await expect(one(`${head}\nx,Mars,1,1,1,1,male,2007\n`)).rejects.toThrow('column island has "Mars" in row 1');
    await expect(predicted("species", at("x.npy"))).rejects.toThrow("was trained on a table");
    const weights = runFiles(at("species")).weights;
    await expect(printed({}, weights, at("odd.csv"))).rejects.toThrow(ConfigError);
  });
});

describe("predictions for arrays", () => {
  const pixels = Uint8Array.from({ length: 12 * 16 }, (_, i) => (i * 37 + (i >> 4) * 90) % 256);
  const x = file("x.npy", npyBytes(pixels, [12, 1, 4, 4]));

  it("of images are those of the network, whose pixels they normalize as it was trained", async () => {
    const labels = file(
      "y.npy",
      npyBytes(
        Int32Array.from({ length: 12 }, (_, i) => i % 3),
        [12],
      ),
    );
    const arrays = { data: pixels, shape: [12, 1, 4, 4] };
    const data = { name: "npy", images: x, labels, testImages: x, testLabels: labels } as never;
    await using trained = await trainIn("images", data, { batch: 4, validation: 0 });
    const [own] = await predicted("images", x);
    expect([own!.count, own!.classNames]).toEqual([12, ["0", "1", "2"]]);
    expect([...own!.data]).toEqual([...(await trained.predict(arrays)).data]);
    const { mean, std } = trainRun.readRecord(at("images"))!.data.format!;
    const normal = Float32Array.from(pixels, (pixel) => (pixel / 255 - mean[0]!) / std[0]!);
    const [same] = await predicted("images", file("normal.npy", npyBytes(normal, [12, 1, 4, 4])));
    for (const [i, value] of own!.data.entries()) expect(same!.data[i]).toBeCloseTo(value, 5);
    const wide = file("wide.npy", npyBytes(pixels, [6, 1, 4, 8]));
    await expect(predicted("images", wide)).rejects.toThrow("examples [1, 4, 8], but the network");
    await expect(predicted("images", file("t.csv", "a\n1\n"))).rejects.toBeInstanceOf(DataError);
  });

  it("of vectors are those of the network", async () => {
    const rows = Float32Array.from({ length: 16 }, (_, i) => Math.sin(i));
    const targets = { kind: "values", shape: [2] } as const;
    const examples = { x: rows, y: rows.map((value) => 3 * value), count: 8 };
    const use = defineDataset({
      ...{ name: "vectors", summary: "two numbers" },
      load: (): Dataset => ({ name: "vectors", inputShape: [2], mean: [], std: [], targets, train: examples }),
    });
    await using trained = await trainIn("vectors", { use }, { batch: 8, validation: 0 });
    const registry = extended(builtIn, [use]);
    const [own] = await predicted("vectors", file("vectors.npy", npyBytes(rows, [8, 2])), registry);
    expect([own!.width, own!.classNames]).toEqual([2, undefined]);
    expect([...own!.data]).toEqual([...(await trained.predict({ data: rows, shape: [8, 2] })).data]);
    const whole = file("whole.npy", npyBytes(Int32Array.from(rows), [8, 2]));
    await expect(predicted("vectors", whole, registry)).rejects.toThrow("examples of type int32");
  });
});
