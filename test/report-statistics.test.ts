import { describe, expect, it } from "vitest";
import { band, binned, geometricBand } from "../src/report/curves.ts";
import { axisNote, axisOf, logTicks, spansWide } from "../src/report/figures/axis.ts";
import {
  holm,
  median,
  pairedDifference,
  quantile,
  studentT975,
  studentTWithin,
  summarize,
} from "../src/util/statistics.ts";

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

  it("tends to the normal distribution's", () => {
    // z + (z³ + z)/(4ν) + … (Abramowitz & Stegun 26.7.5)
    const z = 1.959964;
    expect(studentT975(1000)).toBeCloseTo(z + (z ** 3 + z) / 4000, 5);
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

  it("have quantiles between neighbours", () => {
    expect([0, 0.25, 0.5, 1].map((part) => quantile([4, 1, 2, 3, 5], part))).toEqual([1, 2, 3, 5]);
    expect(quantile([1, 2], 0.25)).toBe(1.25);
    expect(quantile([], 0.5)).toBeNaN();
  });

  it("have a median", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
  });
});

describe("differences of pairs", () => {
  it("have the interval and the p-value of the paired t-test", () => {
    // Student's sleep data (1908), extra hours of two drugs on ten patients; R: t.test(paired = TRUE) has t = −4.0621, p = 0.002833.
    const first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0, 2];
    const second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
    const { n, mean, ci95, p } = pairedDifference(first.map((x, i) => x - second[i]!))!;
    expect(n).toBe(10);
    expect(mean).toBeCloseTo(-1.58, 12);
    expect(mean - ci95!).toBeCloseTo(-2.4598858, 6);
    expect(mean + ci95!).toBeCloseTo(-0.7001142, 6);
    expect(p).toBeCloseTo(0.00283289, 7);
  });

  it("have a closed form for two pairs", () => {
    // t = (3 / 2) / (1 / 2) = 3 at one degree of freedom.
    expect(pairedDifference([1, 2])!.p).toBeCloseTo(1 - (2 / Math.PI) * Math.atan(3), 14);
  });

  it("need two pairs, and know those that do not vary", () => {
    expect(pairedDifference([])).toBeUndefined();
    expect(pairedDifference([1])).toBeUndefined();
    expect(pairedDifference([0, 0])!.p).toBe(1);
    expect(pairedDifference([2, 2])!.p).toBe(0);
  });

  it("are corrected by Holm, in the order given", () => {
    // R: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm").
    const adjusted = holm([0.01, 0.04, 0.03, 0.005]);
    for (const [i, p] of [0.03, 0.06, 0.06, 0.02].entries()) expect(adjusted[i]).toBeCloseTo(p, 14);
    expect(holm([0.9, 0.8])).toEqual([1, 1]);
    expect(holm([0.2])).toEqual([0.2]);
    expect(holm([])).toEqual([]);
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
    const { domain, cut } = axisOf([points([1, 2], 50)], false, {});
    expect(domain[0]).toBeCloseTo(0.4);
    expect(domain[1]).toBeCloseTo(2.6);
    expect(cut).toBe(true);
    expect(axisOf([points([1, 2], 0.1)], false, {}).cut).toBe(false);
  });

  it("stay within what is possible", () => {
    expect(axisOf([points([0.9, 0.99], 0.05)], false, { within: [0, 1] }).domain[1]).toBe(1);
    expect(axisOf([points([3, 4], 0)], false, { zero: true }).domain[0]).toBe(0);
  });

  const settled = [4, 5, 6, 5, 4, 5, 6, 5];

  it("show the bulk of a line, and name what is outside", () => {
    const axis = axisOf([points([150, ...settled], 0)], false, {});
    expect(axis.domain[1]).toBeLessThan(7);
    expect(axis.outside).toEqual([150]);
    expect(axisNote(axis, String)).toBe("; the axis shows the bulk: one point, a value of 150, outside");
    const logarithmic = axisOf([points([1e-6, ...settled], 0)], true, {});
    expect(logarithmic.outside).toEqual([1e-6]);
    expect(logarithmic.domain[0]).toBeGreaterThan(3);
  });

  it("never hide a whole line, or a point of a short one", () => {
    const far = points(
      settled.map((y) => 100 * y),
      0,
    );
    const others = Array.from({ length: 9 }, () => points(settled, 0));
    expect(axisOf([...others, far], false, {}).outside).toEqual([]);
    expect(axisOf([points([150, 4, 5, 4], 0)], false, {}).outside).toEqual([]);
    expect(axisOf([points([0.1, ...Array.from({ length: 9 }, () => 1)], 0)], false, {}).outside).toEqual([]);
  });

  it("are not empty for a single value", () => {
    const { domain } = axisOf([points([5], 0)], false, {});
    expect(domain[0]).toBeLessThan(5);
    expect(domain[1]).toBeGreaterThan(5);
  });

  it("are logarithmic for positive values over a wide range", () => {
    expect(spansWide([1, 5])).toBe(true);
    // One value at the start is no reason.
    expect(spansWide([0.1, ...Array.from({ length: 12 }, (_, i) => 4 + (i % 3))])).toBe(false);
    expect(spansWide([1, 2])).toBe(false);
    expect(spansWide([-1, 100])).toBe(false);
    expect(logTicks([0.15, 30])).toEqual([0.2, 0.5, 1, 2, 5, 10, 20]);
    expect(logTicks([0.5, 0.9])).toEqual([0.5, 0.6, 0.7, 0.8, 0.9]);
    expect(logTicks([0.001, 100])).toEqual([0.001, 0.01, 0.1, 1, 10, 100]);
  });
});
