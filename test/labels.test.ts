import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkedLabels, classesOf, emptyClasses, readLabels } from "../src/data/labels.ts";
import { npyBytes } from "./support/npy.ts";

describe("labels", () => {
  it("are whole numbers from 0 to one less than the classes", () => {
    expect(checkedLabels(Float64Array.of(0, 2, 1), 3, "y")).toEqual(Int32Array.of(0, 2, 1));
    for (const [wrong, at] of [
      [[0, 3], 1],
      [[-1], 0],
      [[0, 0, 0.5], 2],
      [[Number.NaN], 0],
    ] as const)
      expect(() => checkedLabels(wrong, 3, "y")).toThrow(`y: label ${wrong[at]} of image ${at}, expected 0 … 2`);
  });

  it("of a file are one per example, in one or two axes", () => {
    const folder = mkdtempSync(join(tmpdir(), "eigensam-labels-"));
    const read = (shape: readonly number[], count: number, values = [3, 1, 2, 0]) => {
      const path = join(folder, "y.npy");
      writeFileSync(path, npyBytes(Uint8Array.from(values), shape));
      return () => readLabels(path, count);
    };
    expect(read([4], 4)()).toEqual(Int32Array.of(3, 1, 2, 0));
    expect(read([4, 1], 4)()).toEqual(Int32Array.of(3, 1, 2, 0));
    expect(read([4], 3)).toThrow("expected [3]\n  hint: give one label per image");
    expect(read([2, 2], 2)).toThrow("expected [2]\n  hint: one-hot rows become labels with y.argmax(axis=1)");
    expect(read([2, 2], 4)).toThrow("hint: give one label per image");
    expect(read([1, 4], 1)).toThrow("argmax");
    expect(read([4, 1, 1], 4)).toThrow("hint: give one label per image");
    expect(read([1, 1, 4], 1)).toThrow("hint: give one label per image");
  });

  it("have as many classes as the largest of training says, and the test's are among them", () => {
    expect(classesOf(Int32Array.of(1, 4, 2), Int32Array.of(4, 1), "t")).toBe(5);
    expect(classesOf(Int32Array.of(0), Int32Array.of(), "t")).toBe(1);
    expect(() => classesOf(Int32Array.of(1, 4, 2), Int32Array.of(4, 3), "t")).toThrow(
      "t: label 3 of image 1 is not among the training labels, which go from 1 to 4",
    );
    expect(() => classesOf(Int32Array.of(1), Int32Array.of(0), "t")).toThrow("label 0 of image 0");
    expect(() => classesOf(Int32Array.of(1), Int32Array.of(2), "t")).toThrow("which go from 1 to 1");
  });

  it("of classes without examples are said to be odd", () => {
    const of = (y: readonly number[], classes: number) =>
      emptyClasses({
        targets: { kind: "labels", classes },
        train: { x: new Float32Array(), y: Int32Array.from(y), count: y.length },
      });
    expect(of([0, 1, 2], 3)).toBeUndefined();
    expect(of([0, 2], 3)).toBe("3 classes, of which one has no training example: 1; is the largest label, 2, a class?");
    expect(of([6], 7)).toContain("of which 6 have no training example: 0, 1, 2, 3, 4, …; is the largest label, 6,");
    expect(of([5], 6)).toContain("of which 5 have no training example: 0, 1, 2, 3, 4; is");
    const values = { x: new Float32Array(), y: new Float32Array(3), count: 3 };
    expect(emptyClasses({ targets: { kind: "values", shape: [1] }, train: values })).toBeUndefined();
    const stream = { stepsPerEpoch: 1, batch: 1, like: new Float32Array(), open: () => [] as never };
    expect(emptyClasses({ targets: { kind: "labels", classes: 2 }, train: stream })).toBeUndefined();
  });
});
