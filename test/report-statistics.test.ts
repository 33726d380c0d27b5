import { describe, expect, it } from "vitest";
import { band, binned, geometricBand } from "../src/report/curves.ts";
import { axisOf, logTicks, spansWide } from "../src/report/figures/axis.ts";
import { median, overlap, studentT975, studentTWithin, summarize } from "../src/util/statistics.ts";

describe("Student's t", () => {
  // R: qt(0.975, df), to the digits of common tables.
  it.each([
    [1, 12.706205],
    [2, 4.302653],
    [3, 3.182446],
    [4, 2.776445],
    [5, 2.570582],
    [9, 2.262157],
    [10, 2.228139],
    [30, 2.042272],
    [120, 1.97993],
  ])("has its 0.975 quantile at %d degrees of freedom", (freedom, expected) => {
    expect(studentT975(freedom)).toBeCloseTo(expected, 5);
  });

  it("has closed forms at one and two degrees of freedom", () => {
    for (const t of [0.1, 1, 7]) {
      expect(studentTWithin(t, 1)).toBeCloseTo((2 / Math.PI) * Math.atan(t), 14);
      expect(studentTWithin(t, 2)).toBeCloseTo(t / Math.sqrt(2 + t * t), 14);
    }
  });

  it("tends to the normal distribution", () => {
    expect(studentT975(100_000)).toBeCloseTo(1.959964, 4);
  });
});

describe("summaries", () => {
  it("are mean, sample deviation and interval of the mean", () => {
    const { n, mean, std, ci95 } = summarize([1, 2, 3, 4]);
    expect([n, mean]).toEqual([4, 2.5]);
    expect(std).toBeCloseTo(Math.sqrt(5 / 3), 14);
    expect(ci95).toBeCloseTo((3.182446 * Math.sqrt(5 / 3)) / 2, 6);
  });

  it("know no spread of one value", () => {
    expect(summarize([7])).toEqual({ n: 1, mean: 7, std: undefined, ci95: undefined });
  });

  it("overlap where intervals touch, or where there is none", () => {
    const of = (mean: number, ci95?: number) => ({ n: 3, mean, std: 1, ci95 });
    expect(overlap(of(0, 1), of(3, 1))).toBe(false);
    expect(overlap(of(0, 1), of(2, 1))).toBe(true);
    expect(overlap(of(0), of(9, 1))).toBe(true);
  });

  it("have a median", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
  });
});

const curve = (...ys: number[]) => ys.map((y, x) => ({ x, y }));

describe("curves", () => {
  it("are averaged where all of them have a value", () => {
    const points = band([curve(1, 2, 5), curve(3, 4), []]);
    expect(points.map(({ x, n, mean }) => [x, n, mean])).toEqual([
      [0, 2, 2],
      [1, 2, 3],
    ]);
  });

  it("leave out what is not a number", () => {
    expect(band([curve(1, Number.NaN), curve(1, 1)]).map(({ x }) => x)).toEqual([0]);
  });

  it("have geometric means, and positive bands, on a logarithmic axis", () => {
    const [point] = geometricBand([curve(1), curve(100)]);
    expect(point!.y).toBeCloseTo(10, 12);
    expect(point!.low).toBeGreaterThan(0);
    expect(point!.low * point!.high).toBeCloseTo(100, 8);
  });

  it("are smoothed in bins of equal width, each at its middle", () => {
    expect(binned(curve(1, 3, 9, 11), 4, 2)).toEqual([
      { x: 0.5, y: 2 },
      { x: 2.5, y: 10 },
    ]);
    expect(binned(curve(1, 3), 2, 40)).toEqual(curve(1, 3));
  });
});

describe("axes", () => {
  const points = (y: number[], spread: number) =>
    y.map((v, x) => ({ x, n: 3, y: v, low: v - spread, high: v + spread }));

  it("hold the lines whole, and no band that would flatten them", () => {
    const { domain, cut } = axisOf(points([1, 2], 50), false, {});
    expect(domain[0]).toBeCloseTo(0.4);
    expect(domain[1]).toBeCloseTo(2.6);
    expect(cut).toBe(true);
    expect(axisOf(points([1, 2], 0.1), false, {}).cut).toBe(false);
  });

  it("stay within what is possible", () => {
    expect(axisOf(points([0.9, 0.99], 0.05), false, { within: [0, 1] }).domain[1]).toBe(1);
    expect(axisOf(points([3, 4], 0), false, { zero: true }).domain[0]).toBe(0);
  });

  it("are not empty for a single value", () => {
    const { domain } = axisOf(points([5], 0), false, {});
    expect(domain[0]).toBeLessThan(5);
    expect(domain[1]).toBeGreaterThan(5);
  });

  it("are logarithmic for positive values over a wide range", () => {
    expect(spansWide([1, 4])).toBe(true);
    expect(spansWide([1, 2])).toBe(false);
    expect(spansWide([-1, 100])).toBe(false);
    expect(logTicks([0.15, 30])).toEqual([0.2, 0.5, 1, 2, 5, 10, 20]);
    expect(logTicks([0.5, 0.9])).toEqual([0.5, 0.6, 0.7, 0.8, 0.9]);
    expect(logTicks([0.001, 100])).toEqual([0.001, 0.01, 0.1, 1, 10, 100]);
  });
});
