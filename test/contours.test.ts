import { describe, expect, it } from "vitest";
import { contourLines } from "../src/report/curvature/contours.ts";
import { evenly } from "./support/fake-curvature.ts";

describe("contour lines", () => {
  const grid = evenly(-1, 1, 21);
  const h = grid[1]! - grid[0]!;
  const onGrid = (f: (x: number, y: number) => number) => grid.flatMap((y) => grid.map((x) => f(x, y)));
  const placed = (lines: ReturnType<typeof contourLines>) =>
    lines.map((points) => points.map(([j, i]) => [h * j - 1, h * i - 1] as const));

  it("of x² + 4y² are ellipses, closed, to second order in the grid step", () => {
    const f = (x: number, y: number) => x ** 2 + 4 * y ** 2;
    for (const level of [0.3, 0.55, 0.8]) {
      const [ellipse, ...others] = placed(contourLines(onGrid(f), 21, level));
      expect(others).toEqual([]);
      expect(ellipse!.at(-1)).toEqual(ellipse![0]);
      // Linear interpolation of a second derivative of 8 at most errs by h²·8/8.
      for (const [x, y] of ellipse!) expect(Math.abs(f(x, y) - level)).toBeLessThan(h ** 2 + 1e-12);
      const twice = ellipse!.slice(1).reduce((sum, [x, y], i) => sum + ellipse![i]![0] * y - ellipse![i]![1] * x, 0);
      expect(Math.abs(twice) / 2 / ((Math.PI * level) / 2)).toBeCloseTo(1, 1);
    }
  });

  it("are exact for a plane, and end at the edges", () => {
    const [line, ...others] = placed(
      contourLines(
        onGrid((x, y) => x + 2 * y),
        21,
        0.37,
      ),
    );
    expect(others).toEqual([]);
    for (const [x, y] of line!) expect(x + 2 * y).toBeCloseTo(0.37, 12);
    const ends = [line![0]!, line!.at(-1)!].map(([x]) => x).sort((a, b) => a - b);
    expect(ends[0]).toBeCloseTo(-1, 12);
    expect(ends[1]).toBeCloseTo(1, 12);
  });

  it("part at a saddle as its middle says", () => {
    // 1 0 / 0 1: the middle, ½, is above 0.4 and below 0.6.
    const sides = (level: number) =>
      contourLines([1, 0, 0, 1], 2, level).map((points) => points.map(([x, y]) => x + y).sort((a, b) => a - b));
    const around = (level: number) =>
      contourLines([1, 0, 0, 1], 2, level).map((points) => points.reduce((sum, [x, y]) => sum + x - y, 0) / 2);
    // Above: the zeros are cut off, one line each on either side of the diagonal.
    expect(around(0.4).map(Math.sign).sort()).toEqual([-1, 1]);
    // Below: the ones are cut off, near 0 and near 2 along the diagonal.
    expect(
      sides(0.6)
        .map(([a]) => Math.round(10 * a!) / 10)
        .sort(),
    ).toEqual([0.4, 1.6]);
    expect(contourLines([1, 0, 0, 1], 2, 0.6)).toHaveLength(2);
  });

  it("leave out what is no number, and levels that are not reached", () => {
    const values = onGrid((x, y) => x + 0.001 * y);
    const whole = contourLines(values, 21, 0.01);
    const broken = contourLines(
      values.map((v, at) => (at === 10 * 21 + 10 ? Number.NaN : v)),
      21,
      0.01,
    );
    expect([whole.length, broken.length]).toEqual([1, 2]);
    expect(broken.flat().flat().every(Number.isFinite)).toBe(true);
    expect(contourLines(values, 21, 5)).toEqual([]);
  });
});
