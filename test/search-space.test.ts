import { describe, expect, it } from "vitest";
import { proposers } from "../src/search/propose.ts";
import { gridOf, isActive, type Space } from "../src/search/space.ts";
import { ConfigError } from "../src/util/errors.ts";
import { choice, range } from "./support/search.ts";

const nested: Space = [
  choice("method.name", ["sgd", "sam", "eigen-sam"]),
  choice("method.rho", [0.05, 0.1], { "method.name": ["sam", "eigen-sam"] }),
  choice("method.alpha", [0.1, 0.2], { "method.name": ["eigen-sam"], "method.rho": [0.1] }),
];

describe("a grid", () => {
  it("has every combination, the last parameter changing fastest", () => {
    const space = [choice("a", [1, 2]), choice("b", ["x", true, [3, [4]]])];
    expect(gridOf(space)).toEqual([
      { a: 1, b: "x" },
      { a: 1, b: true },
      { a: 1, b: [3, [4]] },
      { a: 2, b: "x" },
      { a: 2, b: true },
      { a: 2, b: [3, [4]] },
    ]);
    expect(gridOf([])).toEqual([{}]);
  });

  it("leaves a parameter out where its condition does not hold, or the parameter of its condition is left out", () => {
    expect(gridOf(nested)).toEqual([
      { "method.name": "sgd" },
      { "method.name": "sam", "method.rho": 0.05 },
      { "method.name": "sam", "method.rho": 0.1 },
      { "method.name": "eigen-sam", "method.rho": 0.05 },
      { "method.name": "eigen-sam", "method.rho": 0.1, "method.alpha": 0.1 },
      { "method.name": "eigen-sam", "method.rho": 0.1, "method.alpha": 0.2 },
    ]);
  });

  it("has equal points once, and tells a number from its text", () => {
    expect(gridOf([choice("a", [1, 2, 1, "1", [1], [1]])])).toEqual([{ a: 1 }, { a: 2 }, { a: "1" }, { a: [1] }]);
  });

  it("refuses a range", () => {
    expect(() => gridOf([choice("a", [1]), range("b", 0, 1)])).toThrow(
      "a grid needs values, and b is a range from 0 to 1",
    );
  });
});

describe("a condition", () => {
  const alpha = nested[2]!;

  it("holds where all of its keys have one of their values, lists compared by what is in them", () => {
    expect(isActive(nested[0]!, {})).toBe(true);
    expect(isActive(alpha, { "method.name": "eigen-sam", "method.rho": 0.1 })).toBe(true);
    expect(isActive(alpha, { "method.name": "eigen-sam", "method.rho": 0.05 })).toBe(false);
    expect(isActive(alpha, { "method.name": "sam", "method.rho": 0.1 })).toBe(false);
    expect(isActive(alpha, {})).toBe(false);
    const listed = choice("b", [1], { a: [[1, 2]] });
    expect([[1, 2], [2, 1], "1,2"].map((a) => isActive(listed, { a }))).toEqual([true, false, false]);
  });
});

describe("a space that cannot be searched", () => {
  const wrong: readonly (readonly [string, Space])[] = [
    ["a is given twice", [choice("a", [1]), range("a", 0, 1)]],
    ["a has no values to choose from", [choice("a", [])]],
    ["the range of a is 2 to 1, expected the smaller number first", [range("a", 2, 1)]],
    ["the range of a is 0 to Infinity, expected finite numbers", [range("a", 0, Number.POSITIVE_INFINITY)]],
    ["the range of a is NaN to 1, expected finite numbers", [range("a", Number.NaN, 1)]],
    ["the range of a is 0 to 1, expected positive numbers, as it is logarithmic", [range("a", 0, 1, "log")]],
    ["the range of a is 1 to 2.5, expected whole numbers below 2^53", [range("a", 1, 2.5, "integer")]],
    ["expected ends less far apart", [range("a", -1e308, 1e308)]],
    ["b depends on c, expected an earlier parameter: a", [choice("a", [1]), choice("b", [1], { c: [1] })]],
    ["a depends on a, expected an earlier parameter\n", [choice("a", [1], { a: [1] })]],
  ];

  it.each(wrong)("is refused: %s", (message, space) => {
    for (const use of [gridOf, ...Object.values(proposers).map((propose) => (given: Space) => ask(propose, given))]) {
      expect(() => use(space)).toThrow(ConfigError);
      expect(() => use(space)).toThrow(message);
    }
  });

  const ask = (propose: (typeof proposers)["tpe"], space: Space) =>
    propose({ space, seed: 1, number: 0, trials: [], direction: "minimize" });
});
