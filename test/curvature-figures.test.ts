import { describe, expect, it } from "vitest";
import { titled } from "../src/report/curvature/frame.ts";
import { factsOf } from "../src/report/curvature/tables.ts";
import type { LossSlice } from "../src/curvature/result.ts";
import { density } from "../src/report/curvature/density.ts";
import { curvatureFigures } from "../src/report/curvature/figures.ts";
import { layers } from "../src/report/curvature/layers.ts";
import { slice1d } from "../src/report/curvature/slice-1d.ts";
import { slice2d } from "../src/report/curvature/slice-2d.ts";
import { spectrum } from "../src/report/curvature/spectrum.ts";
import type { Drawn } from "../src/report/figures/figure.ts";
import { bareCurvature, bowl, fakeCurvature, line, plane } from "./support/fake-curvature.ts";

/** Of the data of any figure. */
type Row = Record<"row" | "value" | "low" | "high" | "x" | "x2" | "y" | "y2" | "loss" | "heldOut", number> &
  Record<"index" | "colour" | "text", string> & { line: string | number };
type Layer = {
  data?: { values: Row[] };
  mark: { type: string };
  encoding: Record<string, { scale: { domain: number[]; type: string } }>;
};

/** As far as these tests look into a figure. */
const inside = (drawn: Drawn | null) =>
  drawn!.spec as unknown as { data: { values: Row[] }; layer: Layer[]; hconcat: { layer: Layer[] }[] };

const marked = (drawn: Drawn | null, type: string): Layer[] =>
  inside(drawn).layer.filter(({ mark }) => mark.type === type);

/** Long lists by their ends alone. */
const outline = (value: unknown): unknown => {
  if (Array.isArray(value))
    return value.length > 12 ? { count: value.length, first: value[0], last: value.at(-1) } : value.map(outline);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, outline(inner)]));
};

describe("the figures of a curvature result", () => {
  const { figures } = curvatureFigures(fakeCurvature);

  it.each(figures.map((figure) => [figure.name, figure] as const))("draw %s as before", (_, { caption, spec }) => {
    expect(caption).toMatchSnapshot();
    expect(outline({ ...spec, config: undefined })).toMatchSnapshot();
  });

  it("name model, data and batch norm below the title", () => {
    for (const { spec, name } of figures) {
      const { subtitle } = (spec as unknown as { title: { subtitle: string[] } }).title;
      for (const part of ["resnet20", "cifar10 (training)", "4,096 images", "batch statistics"])
        expect(subtitle.join(" "), name).toContain(part);
    }
    const running = spectrum({ ...fakeCurvature, bn: "running" })!;
    expect(JSON.stringify(running.spec)).toContain("running statistics");
  });

  it("say nothing of batch norm where there is none", () => {
    const without = { ...bareCurvature, bn: null };
    const { title } = titled(without, "Any");
    expect(title.subtitle).toEqual(["resnet20 on cifar10 (training), 4,096 images"]);
    expect(factsOf(without).map(([name]) => name)).not.toContain("batch norm");
    expect(factsOf(bareCurvature).map(([name]) => name)).toContain("batch norm");
  });

  it("are left out where nothing was measured", () => {
    expect(curvatureFigures(bareCurvature)).toEqual({
      figures: [],
      missing: ["Extreme eigenvalues", "Spectral density", "Curvature by layer", "Slices of the loss"],
    });
    const nothing = { ...line("g", bowl as (a: number) => number), loss: Array(41).fill(Number.NaN) };
    expect(curvatureFigures({ ...bareCurvature, slices: [nothing] }).figures).toEqual([]);
  });

  it("have names of their own, slices in equal directions too", () => {
    const random = plane(["random", "random"], bowl, 3);
    const { figures: drawn } = curvatureFigures({ ...bareCurvature, slices: [random, line("v1", (a) => a), random] });
    expect(drawn.map(({ name }) => name)).toEqual(["slice-random-random", "slice-v1", "slice-random-random.2"]);
  });
});

describe("the spectrum", () => {
  it("goes down from the largest eigenvalue to the smallest, in two colours", () => {
    const rows = inside(spectrum({ ...fakeCurvature, eigenvalues: [9, 4], bottom: [-3, -1, 0.5] })).data.values;
    expect(rows.map(({ value }) => value)).toEqual([9, 4, 0.5, -1, -3]);
    expect(rows.map(({ index }) => index)).toEqual(["1", "2", "d−2", "d−1", "d"]);
    // A row is left out between the ends.
    expect(rows.map(({ row }) => row)).toEqual([0, 1, 3, 4, 5]);
    const colours = rows.map(({ colour }) => colour);
    expect(new Set(colours.slice(0, 3)).size).toBe(1);
    expect(new Set(colours.slice(3)).size).toBe(1);
    expect(colours[3]).not.toBe(colours[0]);
  });

  it("has circles at the values of the other half, with whiskers of one standard error where there is one", () => {
    const heldOut = [
      { mean: 8, stderr: 1.5 },
      { mean: 3, stderr: Number.NaN },
      { mean: Number.NaN, stderr: 1 },
    ];
    const drawn = spectrum({ ...fakeCurvature, eigenvalues: [9, 4, 2], heldOut, bottom: [] });
    const whiskers = marked(drawn, "rule").at(-1)!.data!.values;
    expect(whiskers.map(({ low, high }) => [low, high])).toEqual([[6.5, 9.5]]);
    const circles = marked(drawn, "point").at(-1)!.data!.values;
    expect(circles.map(({ row, heldOut: at }) => [row, at])).toEqual([
      [0, 8],
      [1, 3],
    ]);
    expect(inside(drawn).data.values.map(({ text }) => text)).toEqual(["9.00", "4.00", "2.00"]);
    expect(drawn!.caption).toContain("the half of the 8 mini-batches that did not choose v");
    expect(spectrum({ ...fakeCurvature, heldOut: [] })!.caption).not.toContain("half");
  });

  it("lets no whisker flatten the bars, and admits what has not converged", () => {
    const heldOut = [{ mean: 2, stderr: 1000 }];
    const few = { ...fakeCurvature, eigenvalues: [2], heldOut, bottom: [], bottomResiduals: [], converged: false };
    const drawn = spectrum({ ...few, residuals: [0.1] });
    const [low, high] = marked(drawn, "point")[0]!.encoding.x!.scale.domain as [number, number];
    expect(high - low).toBeLessThan(10);
    expect(drawn!.caption).toContain("some have not converged, see their residuals");
    expect(spectrum({ ...few, residuals: [] })!.caption).toContain("residuals were not measured");
  });
});

describe("the density", () => {
  const curve = {
    ...fakeCurvature.density!,
    grid: [-1, 0, 1, 2],
    density: [0, 2, 1e-3, -1e-20],
    stderr: [0, 0.1, 1e-3, 0],
  };

  it("is cut at a tenth of what one eigenvalue reaches, so that zero can be on a logarithm", () => {
    const result = { ...fakeCurvature, parameters: 1000, density: { ...curve, sigma: 0.1 } };
    const drawn = density(result);
    const one = 1 / (1000 * 0.1 * Math.sqrt(2 * Math.PI));
    const { domain, type } = marked(drawn, "line")[0]!.encoding.y!.scale;
    expect(type).toBe("log");
    expect(domain[0]).toBeCloseTo(one / 10, 12);
    const values = inside(drawn).data.values;
    for (const { y, low, high } of values) for (const x of [y, low, high]) expect(x).toBeGreaterThan(0);
    for (const i of [0, 3]) expect(values[i]!.y).toBeLessThan(domain[0]!);
    expect(marked(drawn, "text")[0]!.data!.values[0]!.y).toBeCloseTo(one, 12);
  });

  it("has a band of two standard errors, and none for one probe", () => {
    const drawn = density({ ...fakeCurvature, density: curve });
    expect(inside(drawn).data.values[1]).toMatchObject({ x: 0, y: 2, low: 1.8, high: 2.2 });
    const one = density({
      ...fakeCurvature,
      density: { ...curve, stderr: curve.stderr.map(() => Number.NaN), probes: 1 },
    });
    expect(marked(one, "area")).toEqual([]);
    expect(one!.caption).toContain("one probe");
    expect(inside(one).data.values[1]).toEqual({ x: 0, y: 2 });
  });

  it("marks the eigenvalues that were measured, inside of its axis", () => {
    const drawn = density({ ...fakeCurvature, density: curve, eigenvalues: [7, 1.5], bottom: [-4] });
    const marks = marked(drawn, "rule").at(-1)!;
    expect(marks.data!.values.map(({ x }) => x)).toEqual([7, 1.5, -4]);
    const [from, to] = marks.encoding.x!.scale.domain;
    expect(from).toBeLessThan(-4);
    expect(to).toBeGreaterThan(7);
  });
});

describe("the layers", () => {
  it("keep the order of the network; traces are per parameter", () => {
    const [left, right] = inside(layers(fakeCurvature)).hconcat;
    const bars = (panel: typeof left) => panel!.layer[0]!.data!.values;
    expect(bars(left).map(({ value }) => value)).toEqual(fakeCurvature.layers!.map(({ eigenvalue }) => eigenvalue));
    for (const [i, { trace, parameters }] of fakeCurvature.layers!.entries())
      expect(bars(right)[i]!.value * parameters).toBeCloseTo(trace.mean, 9);
    expect(JSON.stringify(left)).toContain("layer3.0.conv2");
  });

  it("of names that are alike in part keep rows of their own", () => {
    const name = (i: number) => `a_very_long_prefix.${i}.in_the_middle_of_the_name.weight`;
    const many = Array.from({ length: 60 }, (_, i) => ({ ...fakeCurvature.layers![0]!, name: name(i) }));
    const rows = inside(layers({ ...fakeCurvature, layers: many })).hconcat[0]!.layer[0]!.data!.values;
    expect(new Set(rows.map(({ row }) => row)).size).toBe(60);
  });
});

describe("a slice along one direction", () => {
  const modelOf = (drawn: Drawn | null) =>
    marked(drawn, "line")[0]!.data!.values.filter((point) => point.line !== "loss");

  it("has a quadratic model with the loss, slope and curvature at θ", () => {
    const model = modelOf(
      slice1d(
        fakeCurvature,
        line("g", (a) => bowl(a, 0), [0.3, 12]),
      ),
    );
    const at = model.findIndex(({ x }) => x === 0);
    const [before, here, after] = [model[at - 1]!, model[at]!, model[at + 1]!];
    const h = after.x - here.x;
    expect(here.y).toBe(bowl(0, 0));
    expect((after.y - before.y) / (2 * h)).toBeCloseTo(0.3, 9);
    expect((after.y - 2 * here.y + before.y) / h ** 2).toBeCloseTo(12, 6);
  });

  it("cuts the model at the edges of the plot", () => {
    const drawn = slice1d(
      fakeCurvature,
      line("v1", (a) => 2 + a ** 2, [0, 400]),
    );
    const [, high] = marked(drawn, "line")[0]!.encoding.y!.scale.domain as [number, number];
    const model = modelOf(drawn);
    expect(model.length).toBeGreaterThan(5);
    expect(model.filter(({ y }) => y > high)).toHaveLength(2);
  });

  it("has no model where slope or curvature is missing, and no legend then", () => {
    for (const derivatives of [[], [0.3]]) {
      const drawn = slice1d(
        fakeCurvature,
        line("random", (a) => bowl(a, 0), derivatives),
      );
      expect(modelOf(drawn)).toEqual([]);
      expect(drawn!.caption).not.toContain("dashed");
      expect(marked(drawn, "line")[0]!.encoding.stroke).toMatchObject({ legend: null });
    }
  });

  it("is logarithmic where the loss explodes, with all of the model above zero", () => {
    const drawn = slice1d(
      fakeCurvature,
      line("v1", (a) => Math.exp(9 * a), [9, 1]),
    );
    expect(marked(drawn, "line")[0]!.encoding.y!.scale.type).toBe("log");
    expect(modelOf(drawn).length).toBeGreaterThan(0);
    for (const { y } of modelOf(drawn)) expect(y).toBeGreaterThan(0);
  });

  it("says which direction it is, and where the loss is not finite", () => {
    const title = (slice: LossSlice) => (slice1d(fakeCurvature, slice)!.spec.title as { text: string }).text;
    expect(title(line("g", (a) => a))).toBe("Loss along the unit gradient ĝ");
    expect(title(line("v1", (a) => a))).toBe("Loss along v₁");
    expect(title(line("random", (a) => a))).toBe("Loss along a filter-normalized random direction");
    expect(
      slice1d(
        fakeCurvature,
        line("g", (a) => (a > 0.5 ? Number.POSITIVE_INFINITY : a)),
      )!.caption,
    ).toContain("not finite");
  });
});

describe("a slice of a plane", () => {
  it("is square and puts the first direction across, the second up", () => {
    const drawn = slice2d(
      fakeCurvature,
      plane(["v1", "v2"], (a) => 3 + a, 9),
    )!;
    const { width, height } = drawn.spec as unknown as { width: number; height: number };
    expect(width).toBe(height);
    const cells = marked(drawn, "rect")[0]!.data!.values;
    expect(cells).toHaveLength(81);
    for (const { x, x2, loss } of cells) {
      expect(loss - 3).toBeGreaterThanOrEqual(x - 1e-12);
      expect(loss - 3).toBeLessThanOrEqual(x2 + 1e-12);
    }
    const lines = marked(drawn, "line")[0]!.data!.values;
    const legend = (marked(drawn, "rect")[0]!.encoding.color as unknown as { legend: { values: number[] } }).legend;
    expect(legend.values.length).toBeGreaterThan(3);
    for (const { x, line } of lines) expect(x + 3).toBeCloseTo(legend.values[Number(line)] as number, 9);
  });

  it("has logarithmic colours where the loss spans wide, and lines where it says", () => {
    const f = (a: number, b: number) => 0.01 + a ** 2 + 4 * b ** 2;
    const drawn = slice2d(fakeCurvature, plane(["g", "v1"], f, 41))!;
    const { color } = marked(drawn, "rect")[0]!.encoding;
    expect(color!.scale.type).toBe("log");
    const { values } = (color as unknown as { legend: { values: number[] } }).legend;
    const lines = marked(drawn, "line")[0]!.data!.values;
    expect(lines.length).toBeGreaterThan(50);
    // Of second order: h² · (log f)″ / 8, where (log f)″ ≤ 8/f.
    for (const { x, y } of lines.filter(({ x, y }) => f(x, y) > 0.4))
      expect(Math.min(...values.map((level) => Math.abs(Math.log(f(x, y) / level))))).toBeLessThan(0.01);
    expect(
      slice2d(
        fakeCurvature,
        plane(["g", "v1"], (a) => 3 + a, 9),
      )!.spec,
    ).not.toMatchObject({ title: { subtitle: [expect.stringContaining("log")] } });
  });

  it("leaves cells blank that are not finite, and tells two random directions apart", () => {
    const drawn = slice2d(
      fakeCurvature,
      plane(["random", "random"], (a, b) => (a + b > 1.9 ? Number.NaN : a), 5),
    )!;
    expect(marked(drawn, "rect")[0]!.data!.values).toHaveLength(24);
    expect(drawn.caption).toContain("blank where it is not finite");
    expect((drawn.spec.title as { text: string }).text).toBe("Loss in the plane of r₁ and r₂");
  });
});
