import { describe, expect, it } from "vitest";
import { minimumOf } from "../src/search/minimum.ts";

/** Three seeds with levels of their own, on a parabola in log x with its lowest point at `low`. */
const curve = (xs: readonly number[], low: number) =>
  xs.map((x) => ({ x, values: [0, 0.3, -0.2].map((level) => 2 + level + (Math.log(x) - Math.log(low)) ** 2) }));

describe("the lowest point of a measured curve", () => {
  it.each([0.075, 0.1, 0.13, 0.139])("is that of a parabola in the logarithm, wherever its points lie: %d", (low) => {
    for (const xs of [
      [0.05, 0.1, 0.2],
      [0.4, 0.02, 0.1, 0.05, 0.21],
      [0.03, 0.1, 0.9],
    ]) {
      const { at, how, best } = minimumOf(curve(xs, low));
      expect(at).toBeCloseTo(low, 10);
      expect(how).toBe("parabola");
      expect(best.x).toBe(0.1);
    }
  });

  it("is the point itself where its neighbours are as low", () => {
    const points = [0.05, 0.1, 0.2].map((x) => ({ x, values: [1, 2] }));
    expect(minimumOf(points)).toMatchObject({ at: 0.05, how: "edge", tied: [0.1, 0.2] });
    const flat = [0.05, 0.1, 0.2].map((x) => ({ x, values: x === 0.1 ? [1, 1] : [2, 2] }));
    expect(minimumOf(flat).at).toBeCloseTo(0.1, 12);
  });

  it("says where it lies at an end, and takes zero for no neighbour", () => {
    expect(minimumOf(curve([0.05, 0.1, 0.2], 0.5))).toMatchObject({ at: 0.2, how: "edge" });
    expect(minimumOf(curve([0.05, 0.1, 0.2], 0.01))).toMatchObject({ at: 0.05, how: "edge" });
    const zero = (value: number) => [{ x: 0, values: [value, value, value] }, ...curve([0.05, 0.1, 0.2], 0.05)];
    expect(minimumOf(zero(9))).toMatchObject({ at: 0.05, how: "edge" });
    expect(minimumOf(zero(1))).toMatchObject({ at: 0, how: "point", best: { x: 0 } });
  });

  it("names the points that pairs of seeds do not tell from it, however far the seeds lie apart", () => {
    const points = [
      { x: 0.05, values: [1.1, 5.1, 9.1] },
      { x: 0.1, values: [1, 5, 9] },
      { x: 0.2, values: [1.3, 4.9, 9.1] },
    ];
    expect(minimumOf(points)).toMatchObject({ best: { x: 0.1 }, tied: [0.2] });
    expect(minimumOf(points.map(({ x, values }) => ({ x, values: values.slice(0, 1) }))).tied).toEqual([0.05, 0.2]);
  });
});
