import { describe, expect, it } from "vitest";
import type { Range } from "../src/search/parameter.ts";
import { densityOf, kernelsOf, weightsOf } from "../src/search/parzen.ts";
import type { Parameter, Value } from "../src/search/space.ts";
import { goodOf, ratioOf, split } from "../src/search/tpe.ts";
import { rng } from "../src/util/rng.ts";
import { choice, golden, range, trainingSpace } from "./support/search.ts";
import { LOG_DENSITY, SIGMAS } from "./tolerances.ts";

function expectClose(ours: readonly number[], theirs: readonly number[]): void {
  expect(ours).toHaveLength(theirs.length);
  for (const [i, value] of ours.entries()) expect(Math.abs(value - theirs[i]!)).toBeLessThan(LOG_DENSITY);
}

describe("a Parzen estimator, against Optuna's", () => {
  it("weighs the latest 25 observations as the prior, and the older ones by a ramp", () => {
    for (const theirs of golden.weights) {
      const sum = theirs.reduce((a, b) => a + b, 1);
      expectClose(
        weightsOf(theirs.length),
        [...theirs, 1].map((weight) => weight / sum),
      );
    }
  });

  const named = golden.densities.map((each) => {
    const { domain, observations } = each;
    const kind =
      domain.kind === "choice" ? "a choice" : `${domain.log ? "log " : ""}${domain.integer ? "integers" : "numbers"}`;
    return [kind, observations.length, each] as const;
  });

  it.each(named)("of %s has the widths and the density, from %i observations", (_, __, each) => {
    const { domain, observations, centres, widths, weights, points, log } = each;
    expectClose(weightsOf(observations.length), weights);
    if (domain.kind === "range") {
      const ours = kernelsOf(domain, observations as number[]);
      expectClose(ours.centres, centres!);
      expectClose(ours.widths, widths!);
    }
    const density = densityOf({ domain }, observations);
    expectClose(
      points.map((point) => density.log(point)),
      log,
    );
  });
});

describe("good and bad trials, against Optuna's", () => {
  it("are a tenth, 25 at most, and the rest", () => {
    expect(golden.good.map((_, n) => goodOf(n))).toEqual(golden.good);
  });

  it.each(golden.ratios)(
    "have the same densities where parameters depend on others, trials run, are stopped or infinitely bad: $direction",
    (given) => {
      const { direction, ratios } = given;
      const trials = given.trials.map(([point, value, stoppedAt], number) => ({
        number,
        point,
        ...(value !== null && { value: Number(value) }),
        ...(stoppedAt !== null && { stoppedAt }),
      }));
      const { good, bad } = split({ trials: trials.toReversed(), number: trials.length, direction });
      expect(good.map(({ number }) => number)).toEqual(given.good);
      expect(good.length + bad.length).toBe(trials.length);
      for (const parameter of trainingSpace) {
        const [points, theirs] = ratios[parameter.key]!;
        const { log } = ratioOf(parameter, good, bad);
        expectClose(points.map(log), theirs);
      }
    },
  );
});

describe("a density", () => {
  const domains: readonly (readonly [string, Parameter, readonly Value[]])[] = [
    ["numbers", range("p", -5, 10), [-5, 0.1, 0.2, 9]],
    ["logarithmic numbers", range("p", 1e-4, 1, "log"), [1e-4, 2e-3, 0.3]],
    ["integers", range("p", 1, 6, "integer"), [1, 1, 5]],
    ["logarithmic integers", range("p", 1, 40, "log integer"), [1, 8, 40]],
    ["choices", choice("p", ["a", true, [1, 2]]), ["a", "a", [1, 2]]],
  ];

  it.each(domains)("of %s sums to one, and is what draws have", (_, { domain }, observations) => {
    const density = densityOf({ domain }, observations);
    const cells = cellsOf(domain).map(({ contains, points, size }) => ({
      contains,
      part: (size * points.reduce<number>((sum, point) => sum + Math.exp(density.log(point)), 0)) / points.length,
    }));
    const random = rng(1, "draws");
    const draws = Array.from({ length: 5000 }, () => density.draw(random));
    expect(cells.reduce((sum, { part }) => sum + part, 0)).toBeCloseTo(1, 4);
    for (const { contains, part } of cells) {
      const seen = draws.filter(contains).length / draws.length;
      expect(Math.abs(seen - part)).toBeLessThan(SIGMAS * Math.sqrt((part * (1 - part)) / draws.length));
    }
  });

  it("does without observations that lie outside, as after a change of the space", () => {
    const { domain } = range("p", 0, 1);
    const [with_, without] = [
      [0.2, 7, "0.3", true, -1, undefined, Number.NaN, 0.4],
      [0.2, 0.4],
    ].map((seen) => densityOf({ domain }, seen));
    expect(with_!.log(0.3)).toBe(without!.log(0.3));
    const names = choice("p", ["a", "b"]);
    expect(densityOf(names, ["a", "gone", undefined, 1]).log("a")).toBe(densityOf(names, ["a"]).log("a"));
  });

  it("draws a value with the largest random number, though probabilities may round to less than one together", () => {
    const largest = { uniform: () => 1 - 2 ** -53, normal: () => 0 };
    for (let n = 0; n < 60; n++) {
      const seen = Array.from({ length: n }, (_, i) => ["a", "b", "c"][i % 3]!);
      expect(densityOf(choice("p", ["a", "b", "c"]), seen).draw(largest)).toBe("c");
    }
  });

  it("of a range of one number is that number", () => {
    const density = densityOf(range("p", 0.3, 0.3), [0.3, 0.3]);
    expect([density.draw(rng(1)), density.log(0.3)]).toEqual([0.3, 0]);
  });
});

/** A domain cut into cells: which values are in one, points spread evenly over it, and its size on the axis. */
function cellsOf(domain: Parameter["domain"]) {
  if (domain.kind === "choice") return domain.values.map((value) => single(value));
  const { min, max, log, integer } = domain;
  if (integer) return Array.from({ length: max - min + 1 }, (_, i) => single(min + i));
  return Array.from({ length: 20 }, (_, i) => stretch({ min, max, log, integer, kind: "range" }, i / 20, (i + 1) / 20));
}

const single = (value: Value) => ({ contains: (x: Value) => x === value, points: [value], size: 1 });

function stretch({ min, max, log }: Range, from: number, to: number) {
  const [low, high] = log ? [Math.log(min), Math.log(max)] : [min, max];
  const place = (part: number) => low + part * (high - low);
  const number = (x: number) => (log ? Math.exp(x) : x);
  const points = Array.from({ length: 200 }, (_, i) => number(place(from + ((i + 0.5) / 200) * (to - from))));
  const [first, last] = [number(place(from)), number(place(to))];
  return {
    contains: (x: Value) => (x as number) >= first && (x as number) < last,
    points,
    size: place(to) - place(from),
  };
}
