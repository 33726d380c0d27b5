import { describe, expect, it } from "vitest";
import { withLabelNoise } from "../src/data/label-noise.ts";
import { partsOf } from "../src/data/split.ts";
import { ConfigError } from "../src/util/errors.ts";
import { rng } from "../src/util/rng.ts";

const count = 2000;
const split = {
  x: Uint8Array.from({ length: count }, (_, i) => i % 251),
  y: Int32Array.from({ length: count }, (_, i) => i % 10),
  count,
};
const labels = { kind: "labels", classes: 10 } as const;
const all = { validation: 0.1, examples: 0, labelNoise: 0 };

describe("label noise", () => {
  it("makes exactly its part of the labels wrong, each other class as often as the next", () => {
    const { y } = withLabelNoise(split, 10, 0.3, rng(1, "x"));
    const wrong = [...y].flatMap((label, i) => (label === split.y[i] ? [] : [(label - split.y[i]! + 10) % 10]));
    expect(wrong).toHaveLength(600);
    const counts = Array.from({ length: 9 }, (_, k) => wrong.filter((shift) => shift === k + 1).length);
    // 600/9 = 66.7 each; the chi-square of 8 degrees of freedom exceeds 26.1 once in a thousand.
    expect(counts.reduce((sum, n) => sum + (n - 600 / 9) ** 2 / (600 / 9), 0)).toBeLessThan(26.1);
    expect([...split.y.slice(0, 3)]).toEqual([0, 1, 2]);
  });

  it("is a function of the seed, of training examples alone", () => {
    const of = (seed: number, more: object = {}) =>
      partsOf({ train: split }, { ...all, labelNoise: 0.2, ...more }, seed, labels);
    expect(of(1)).toEqual(of(1));
    expect(of(1).train.y).not.toEqual(of(2).train.y);
    const clean = partsOf({ train: split }, all, 1, labels);
    expect(of(1).val).toEqual(clean.val);
    expect(of(1).train.x).toEqual(clean.train.x);
    expect([...of(1).train.y].filter((label, i) => label !== clean.train.y[i])).toHaveLength(360);
  });

  it("of fewer examples draws them without repetition, in their order", () => {
    const { train } = partsOf(
      { train: { ...split, x: Int32Array.from({ length: count }, (_, i) => i) } },
      { ...all, examples: 50 },
      3,
      labels,
    );
    expect(train.count).toBe(50);
    expect([...train.x]).toEqual([...new Set(train.x)].sort((a, b) => a - b));
    expect([...train.y]).toEqual([...train.x].map((i) => i % 10));
    expect(train.x[49]).toBeGreaterThan(1000);
  });

  it("is refused where there are no classes, or too few examples", () => {
    const noisy = { ...all, labelNoise: 0.2 };
    expect(() => partsOf({ train: split }, noisy, 1, { kind: "values", shape: [1] })).toThrow(ConfigError);
    expect(() => partsOf({ train: split }, { ...all, examples: 1801 }, 1, labels)).toThrow(
      "there are 1800 training examples",
    );
  });
});
