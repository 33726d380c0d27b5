import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { contrastOnWhite, readable } from "../src/report/contrast.ts";
import type { Axis } from "../src/report/figures/axis.ts";
import { bandChart, type Series } from "../src/report/figures/band-chart.ts";
import { endLabels } from "../src/report/figures/end-labels.ts";
import { linesOfCurves } from "../src/report/figures/lines.ts";
import { trainingMethods } from "../src/optim/methods/index.ts";

const HEIGHT = 200;
const linear: Axis = { log: false, domain: [0, 200], cut: false, outside: [] };
const logarithmic: Axis = { ...linear, log: true, domain: [1, 100] };

const seriesTo = (y: number, label = `to ${y}`, x = 9, colour = "#0072b2"): Series => ({
  ...{ label, colour, dash: [1, 0], seeds: [] },
  points: [0, x].map((at) => ({ x: at, n: 1, y, low: y, high: y })),
});
const labelled = (ends: readonly number[], axis = linear) =>
  endLabels(
    ends.map((y) => seriesTo(y, `to ${y.toFixed(0)}`)),
    axis,
    HEIGHT,
  );
const heights = (ends: readonly number[], axis = linear) => labelled(ends, axis)?.map(({ y }) => y);

describe("labels at the ends of lines", () => {
  it("stand where the lines end, from above, and name them", () => {
    expect(labelled([20, 150, 80])).toEqual(
      [150, 80, 20].map((y) => ({ label: `to ${y}`, colour: "#0072b2", x: 9, y: expect.closeTo(y, 9) })),
    );
  });

  it("are measured on a logarithmic axis as it is drawn: 50 and 60 are 8 pixels apart, 10 and 20 are 30", () => {
    const [twenty, ten] = heights([10, 20], logarithmic)!;
    expect([ten, twenty]).toEqual([expect.closeTo(10, 9), expect.closeTo(20, 9)]);
    const [sixty, fifty] = heights([50, 60], logarithmic)!;
    const pixels = (y: number) => HEIGHT * (1 - Math.log(y) / Math.log(100));
    expect(pixels(fifty!) - pixels(sixty!)).toBeCloseTo(15, 9);
    expect(pixels(fifty!) + pixels(sixty!)).toBeCloseTo(pixels(50) + pixels(60), 9);
    expect(heights([90, 91], logarithmic)).toBeUndefined();
  });

  it("give way to a neighbour by a few pixels, and to a legend where that is not enough", () => {
    expect(heights([100, 106])).toEqual([expect.closeTo(110.5, 9), expect.closeTo(95.5, 9)]);
    expect(heights([100, 104])).toBeUndefined();
    expect(heights([100, 100])).toBeUndefined();
    expect(heights([100, 110, 120])).toEqual([125, 110, 95].map((y) => expect.closeTo(y, 9)));
    expect(heights([100, 109, 118])).toBeUndefined();
  });

  it("never overlap, never change their order, and are nearest to their own ends", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 200, noNaN: true }), { minLength: 1, maxLength: 7 }), (ends) => {
        const places = heights(ends);
        const sorted = ends.toSorted((a, b) => b - a);
        const gaps = sorted.slice(1).map((y, i) => sorted[i]! - y);
        // Ends a label apart need no shift, ends at one place have no room.
        if (gaps.every((gap) => gap >= 15)) expect(places).toEqual(sorted.map((y) => expect.closeTo(y, 9)));
        if (gaps.some((gap) => gap < 4.999)) expect(places).toBeUndefined();
        for (const [i, place] of places?.entries() ?? []) {
          if (i > 0) expect(places![i - 1]! - place).toBeGreaterThan(14.999);
          for (const end of sorted)
            expect(Math.abs(place - sorted[i]!)).toBeLessThanOrEqual(Math.abs(place - end) + 1e-9);
        }
      }),
    );
  });

  it("are none where a line ends early, outside of the plot, or has a long name", () => {
    expect(endLabels([seriesTo(20), seriesTo(120, "short", 5)], linear, HEIGHT)).toBeUndefined();
    expect(heights([20, 201])).toBeUndefined();
    expect(heights([-1, 120])).toBeUndefined();
    expect(endLabels([seriesTo(20, "Eigen-SAM (power)"), seriesTo(120)], linear, HEIGHT)).toHaveLength(2);
    expect(endLabels([seriesTo(20, "Eigen-SAM (power) ρ=0.2"), seriesTo(120)], linear, HEIGHT)).toBeUndefined();
  });

  it("take the place of the legend, and keep the dashes", () => {
    const ends = [seriesTo(20), seriesTo(120)];
    const chart = (with_: ReturnType<typeof endLabels>) =>
      JSON.stringify(bandChart(ends, linear, { x: "step", width: 400, ends: with_ }));
    const direct = chart(endLabels(ends, linear, HEIGHT));
    expect(direct).toContain('"legend":null');
    expect(direct).toMatch(/"type":"text".*"field":"label"/);
    expect(direct).toContain('"strokeDash"');
    expect(chart(undefined)).toContain('"legend":{"columns"');
    expect(chart(undefined)).not.toContain('"type":"text"');
  });

  it("are chosen by how far apart the lines of a figure end", () => {
    const drawn = (ends: readonly number[]) =>
      JSON.stringify(
        linesOfCurves(
          ends.map((y, i) => ({
            ...{ label: `line ${i}`, colour: "#0072b2", dash: [1, 0] },
            curves: [[1, 2, 3].map((x) => ({ x, y: 10 + (x - 1) * (y - 10) * 0.5 }))],
          })),
          { title: "title", y: "y", x: "x", shows: "Lines" },
        )!.spec,
      );
    expect(drawn([10, 11, 12])).toContain('"legend":null');
    expect(drawn([10, 11, 11.01])).toContain('"legend":{"columns"');
  });
});

describe("the colour of a label", () => {
  it("has a contrast by WCAG's formula", () => {
    expect(contrastOnWhite("#ffffff")).toBe(1);
    expect(contrastOnWhite("#000000")).toBeCloseTo(21, 12);
    // The darkest grey that WCAG's examples give as failing 4.5, and the lightest that passes.
    expect(contrastOnWhite("#777777")).toBeCloseTo(4.478, 3);
    expect(contrastOnWhite("#767676")).toBeCloseTo(4.542, 3);
  });

  it("is the line's where that is readable, and a little darker where not", () => {
    const colours = Object.values(trainingMethods).flatMap(({ colour }) => colour ?? []);
    for (const colour of [...colours, "#e69f00", "#f0e442", "#fffffe", "#9ca3af"]) {
      const text = readable(colour.toLowerCase());
      expect(contrastOnWhite(text)).toBeGreaterThanOrEqual(3);
      if (contrastOnWhite(colour.toLowerCase()) >= 3) expect(text).toBe(colour.toLowerCase());
      else expect(contrastOnWhite(text)).toBeLessThan(3.7);
    }
  });
});
