import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { textTable } from "../src/cli/text-table.ts";
import { cifar10, cifar100 } from "../src/data/cifar.ts";
import { train } from "../src/node.ts";
import { classTablesOf } from "../src/report/group-classes.ts";
import type { Group } from "../src/report/groups.ts";
import { classTables, writeTables } from "../src/report/class-tables.ts";
import { classScores } from "../src/train/class-scores.ts";
import { ConfigError, InputError } from "../src/util/errors.ts";
import { rng } from "../src/util/rng.ts";

const [N, CLASSES] = [200, 5];
const random = rng(3, "class scores");
/** Whole numbers from 0 to 3, so that many of them are equal. */
const outputs = Float32Array.from({ length: N * CLASSES }, () => Math.floor(4 * random.uniform()));
/** No example of the last class. */
const labels = Int32Array.from({ length: N }, () => Math.floor((CLASSES - 1) * random.uniform()));

/** The classes of an example from the largest output to the smallest; a stable sort keeps equal ones in order. */
const ranked = (i: number): number[] => {
  const row = [...outputs.subarray(i * CLASSES, (i + 1) * CLASSES)];
  return row
    .map((value, at) => ({ value, at }))
    .sort((a, b) => b.value - a.value)
    .map(({ at }) => at);
};
const examples = Array.from({ length: N }, (_, i) => ({ label: labels[i]!, order: ranked(i) }));
const count = (that: (example: (typeof examples)[number]) => boolean): number => examples.filter(that).length;

describe("scores by class", () => {
  it("are those of a naive count, in ties too", () => {
    const { classes, confusion } = classScores(outputs, labels, { classes: true });
    for (let a = 0; a < CLASSES; a++) {
      for (let b = 0; b < CLASSES; b++)
        expect(confusion![a]![b]).toBe(count(({ label, order }) => label === a && order[0] === b));
      const found = count(({ label, order }) => label === a && order[0] === a);
      const [n, predicted] = [count(({ label }) => label === a), count(({ order }) => order[0] === a)];
      const [precision, recall] = [found / predicted, n === 0 ? null : found / n];
      const f1 = found === 0 || recall === null ? 0 : 2 / (1 / precision + 1 / recall);
      expect(classes![a]).toMatchObject({ label: a, name: String(a), n, predicted, precision, recall });
      expect(classes![a]!.f1).toBeCloseTo(f1, 12);
    }
    expect(classes![CLASSES - 1]).toMatchObject({ n: 0, recall: null, f1: 0 });
  });

  it("count a label as among the top k as a stable sort has it", () => {
    for (let k = 1; k <= CLASSES; k++) {
      const accuracy = count(({ label, order }) => order.slice(0, k).includes(label)) / N;
      expect(classScores(outputs, labels, { topK: k })).toEqual({ topK: { k, accuracy } });
    }
  });

  it("are null where nothing is counted, and take names", () => {
    const { classes } = classScores(Float32Array.of(1, 0, 0, 2, 0, 0), [0, 0], { classes: true }, ["cat", "dog"]);
    expect(classes).toEqual([
      { label: 0, name: "cat", n: 2, predicted: 2, precision: 1, recall: 1, f1: 1 },
      { label: 1, name: "dog", n: 0, predicted: 0, precision: null, recall: null, f1: null },
      { label: 2, name: "2", n: 0, predicted: 0, precision: null, recall: null, f1: null },
    ]);
  });

  it("refuse an impossible k, and NaN", () => {
    for (const topK of [0, 1.5, CLASSES + 1]) expect(() => classScores(outputs, labels, { topK })).toThrow(ConfigError);
    expect(() => classScores(Float32Array.of(1, 0, Number.NaN, 0), [0, 1], { topK: 1 })).toThrow(
      expect.objectContaining({ what: "the network gives NaN for example 1", constructor: InputError }),
    );
  });
});

it("agree with accuracy and predictions of a trained network, and cost those nothing that do not ask", async () => {
  const folder = mkdtempSync(join(tmpdir(), "eigensam-classes-"));
  const rows = Array.from({ length: 30 }, (_, i) => [Math.sin(i), Math.cos(3 * i)]);
  const y = rows.map(([a, b]) => (a! > 0.3 ? 2 : b! > 0 ? 1 : 0));
  const data = { train: { x: rows, y }, test: { x: rows, y }, classes: 3 };
  await using trained = await train({
    ...{ data, model: { name: "mlp", width: 4 }, method: { name: "sgd" }, epochs: 5, batch: 8, threads: 1 },
    dir: join(folder, "run"),
  }).done;
  const plain = await trained.evaluate(data.train);
  const { topK, classes, confusion, ...rest } = await trained.evaluate(data.train, { classes: true, topK: 1 });
  expect(rest).toEqual(plain);
  expect(topK).toEqual({ k: 1, accuracy: plain.accuracy });
  const { data: probabilities } = await trained.predict(rows);
  const taken = rows.map((_, i) => {
    const row = [...probabilities.slice(3 * i, 3 * i + 3)];
    return row.indexOf(Math.max(...row));
  });
  for (const a of [0, 1, 2])
    for (const b of [0, 1, 2]) expect(confusion![a]![b]).toBe(y.filter((_, i) => y[i] === a && taken[i] === b).length);
  // A run keeps those of its test examples, whose last batch here is short.
  const { result } = JSON.parse(readFileSync(join(folder, "run", "run.json"), "utf8"));
  expect(result.confusion).toEqual(confusion!.map((row) => row.join(" ")));
  expect(classes!.map(({ n }) => n)).toEqual([0, 1, 2].map((label) => y.filter((other) => other === label).length));
  rmSync(folder, { recursive: true });
});

it("stand in a report by group: F1 over seeds, and counts of all seeds together", () => {
  const run = (confusion: readonly string[] | undefined) => ({
    record: { result: { confusion }, data: { format: { classNames: ["cat", "dog"] } } },
  });
  const group = (label: string, ...runs: readonly (readonly string[] | undefined)[]) =>
    ({ label, runs: runs.map(run) }) as unknown as Group;
  const groups = [group("SAM", ["3 1", "0 4"], ["4 0", "2 2"]), group("SGD", ["4 0", "4 0"])];
  const [f1, sam, sgd] = classTablesOf(groups);
  // SAM's cat: 2·3/(4 + 3) and 2·4/(4 + 6); its dog: 2·4/(4 + 5) and 2·2/(4 + 2).
  const [a, b] = [(6 / 7 + 4 / 5) / 2, Math.abs(6 / 7 - 4 / 5) / Math.SQRT2];
  expect(textTable(f1!).join("\n")).toMatchInlineSnapshot(`
    "class  examples          SAM   SGD
    cat           4   82.9 ± 4.0  66.7
    dog           4  77.8 ± 15.7   0.0"
  `);
  expect(f1!.csv[1]).toEqual(["cat", 4, expect.closeTo(a, 12), expect.closeTo(b, 12), 2 / 3, ""]);
  expect([sam!.title, sam!.rows[1]!.map(({ text }) => text)]).toEqual([
    "Confusion matrix: SAM, 2 runs together",
    ["dog", "2", "6"],
  ]);
  expect(sgd!.title).toBe("Confusion matrix: SGD");
  expect(classTablesOf([group("SAM", undefined)])).toEqual([]);
  expect(classTablesOf([...groups, group("other classes", ["1 0 0", "0 1 0", "0 0 1"])])).toEqual([]);
});

it("refuse a network for real values", async () => {
  const data = { train: { x: [[0], [1]], y: [[0.5], [1.5]] } };
  await using trained = await train({
    ...{ data, model: { name: "mlp", width: 2 }, method: { name: "sgd" }, epochs: 1, batch: 2, threads: 1 },
  }).done;
  await expect(trained.evaluate(data.train, { classes: true })).rejects.toThrow("loss mse has no classes here");
});

it("are tables for people and for programs", () => {
  const scores = classScores(Float32Array.of(2, 1, 1, 2, 2, 1, 0, 1), [0, 0, 0, 1], { classes: true }, [
    "cat|x",
    "dog",
  ]);
  const tables = classTables(scores);
  expect(tables.map((table) => textTable(table).join("\n")).join("\n\n")).toMatchInlineSnapshot(`
    "class  n  precision  recall     F1
    cat|x  3     100.0%   66.7%  80.0%
    dog    1      50.0%  100.0%  66.7%
    mean   4      75.0%   83.3%  73.3%

    class  cat|x  dog
    cat|x      2    1
    dog        0    1"
  `);
  const folder = mkdtempSync(join(tmpdir(), "eigensam-classes-"));
  const written = writeTables(join(folder, "made"), tables);
  expect(written.every(existsSync)).toBe(true);
  const [markdown, csv] = written.map((path) => readFileSync(path, "utf8"));
  expect(markdown).toContain("| cat\\|x | 3 | 100.0% | 66.7% | 80.0% |");
  expect(csv).toContain(`\n0,cat|x,3,2,1,${2 / 3},0.8\n`);
  expect(readFileSync(written[3]!, "utf8")).toBe("class,cat|x,dog\ncat|x,2,1\ndog,0,1\n");
  rmSync(folder, { recursive: true });
  expect(classTables({})).toEqual([]);
});

it("have a name for each class of CIFAR", () => {
  expect([cifar10, cifar100].map(({ summary }) => summary)).toEqual([
    "50,000 + 10,000 colour images, 32×32, 10 classes",
    "50,000 + 10,000 colour images, 32×32, 100 classes",
  ]);
});
