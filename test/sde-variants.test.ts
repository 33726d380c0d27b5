import { describe, expect, it } from "vitest";
import { constant } from "../src/graph/ops/source.ts";
import { defineMethod, zeros } from "../src/optim/method.ts";
import { trainingMethods } from "../src/optim/methods/index.ts";
import { drawIndices } from "../src/sde/draw.ts";
import { seriesOf } from "../src/sde/variants.ts";
import { ConfigError } from "../src/util/errors.ts";

const texts = { title: "", summary: "" };
const still = () => constant(0, [2]);

describe("a method has SDEs", () => {
  it("where it declares a perturbation or a series, and keeps nothing", () => {
    expect(seriesOf(trainingMethods.sam)).toBe(trainingMethods.sam.series);
    expect(seriesOf(trainingMethods.egr).factors).toEqual([1, 0]);
  });

  it("not where its direction is any function", () => {
    const own = defineMethod({ name: "own", ...texts, descend: () => ({ direction: still() }) });
    expect(() => seriesOf(own)).toThrow(ConfigError);
    expect(() => seriesOf(own)).toThrow("method own has no SDE: it declares no perturbation or series");
  });

  it("not where it keeps state from step to step", () => {
    const own = defineMethod({ name: "own", ...texts, state: { m: zeros }, ascent: still });
    expect(() => seriesOf(own)).toThrow("method own has no SDE: it keeps state from step to step");
  });
});

/** The first places of Fisher and Yates' shuffle, written out. */
function shuffled(n: number, count: number, numbers: readonly number[]): number[] {
  const places = Array.from({ length: n }, (_, i) => i);
  for (let i = 0; i < count; i++) {
    const j = i + Math.floor(numbers[i]! * (n - i));
    [places[i], places[j]] = [places[j]!, places[i]!];
  }
  return places.slice(0, count);
}

describe("a draw without repetition", () => {
  it.each([
    [6, 6, [0.99, 0.99, 0.99, 0.99, 0.99, 0]],
    [6, 4, [0.5, 0, 0.7, 0.34]],
    [3, 3, [0.67, 0.51, 0.2]],
    [5, 5, [0, 0, 0, 0, 0]],
    [7, 0, []],
  ])("of %i: %i of them, is the beginning of a shuffle", (n, count, numbers) => {
    const left = [...numbers];
    const random = { uniform: () => left.shift()!, normal: () => Number.NaN };
    expect([...drawIndices(random, n, count)]).toEqual(shuffled(n, count, numbers));
    expect(left).toEqual([]);
  });
});
