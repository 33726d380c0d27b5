import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { CurvatureResult } from "../src/curvature/result.ts";
import { writeCurvatureReport } from "../src/report/curvature/index.ts";
import { curvatureFigures } from "../src/report/curvature/figures.ts";
import { number, withError } from "../src/report/curvature/numbers.ts";
import { bareCurvature, evenly, fakeCurvature, line, plane } from "./support/fake-curvature.ts";
import { temporary } from "./support/fake-runs.ts";

describe("numbers", () => {
  it.each([
    [41.26, "41.3"],
    [-0.97, "−0.970"],
    [123456.7, "123457"],
    [3.2e-7, "3.20e−7"],
    [-2.1e7, "−2.10e7"],
    [0, "0"],
    [Number.NaN, "–"],
  ])("of %d read %s", (x, text) => {
    expect(number(x)).toBe(text);
  });

  it.each([
    [41.27, 2.68, "41.3 ± 2.7"],
    [-0.0123, 0.0004, "−0.01230 ± 0.00040"],
    [200, 22.4, "200 ± 22"],
    [3e-7, 1e-8, "3.00e−7 ± 1.00e−8"],
    [12.5, Number.NaN, "12.5"],
    [12.5, 0, "12.5"],
  ])("%d with error %d read %s", (x, stderr, text) => {
    expect(withError(x, stderr)).toBe(text);
  });
});

describe("the page of a curvature result", () => {
  it("shows all numbers and figures, and loads nothing", async () => {
    const out = temporary();
    const { html: path, figures, tables } = await writeCurvatureReport(fakeCurvature, out);
    const names = ["spectrum", "density", "layers", "slice-g", "slice-v1", "slice-random", "slice-v1-v2"];
    expect(figures).toEqual(
      names.flatMap((name) => ["svg", "png"].map((type) => join(out, "figures", `${name}.${type}`))),
    );
    expect(tables).toEqual(
      ["numbers", "layers"].flatMap((name) => ["md", "csv"].map((type) => join(out, "tables", `${name}.${type}`))),
    );
    for (const name of names) {
      const [svg, png] = ["svg", "png"].map((type) => join(out, "figures", `${name}.${type}`));
      const [drawing, pixels] = [readFileSync(svg!, "utf8"), readFileSync(png!)];
      expect(drawing).not.toMatch(/NaN|undefined|href/);
      expect(pixels.readUInt32BE(16), png).toBe(2 * Number(/width="(\d+)"/.exec(drawing)![1]));
    }
    const html = readFileSync(path, "utf8");
    expect(html).toContain("<h1>Curvature of resnet20 on cifar10 (training)</h1>");
    expect(html.match(/<svg/g)).toHaveLength(7);
    expect(html).not.toMatch(/<script|<link|src=|href=|NaN|undefined/);
    for (const { caption } of curvatureFigures(fakeCurvature).figures) expect(html).toContain(caption);
    const text = html
      .replace(/<svg.*?<\/svg>/gs, "")
      .replace(/<[^>]+>/g, " ")
      .replace(/\s+/g, " ");
    for (const part of [
      "batch norm batch statistics",
      "images 4,096, in random order (seed 1)",
      "Hessian-vector products 512",
      "seconds 432",
      "loss f 0.400",
      "gradient norm ‖∇f‖ 0.300",
      "λ 1 41.3 – 1.00e−4 37.2 ± 2.7 0.600",
      "λ d −1.92 – 0.00100",
      "trace 913 21.7",
      "Frobenius norm 64.2 2.10",
      "layer1.0.conv1 2,304 6.31 2.00e−4 yes",
      "fc 650 12.7 0.0300 no",
      "λ₁ itself is biased upwards",
    ])
      expect(text).toContain(part);
    expect(readFileSync(join(out, "tables/numbers.csv"), "utf8")).toContain(
      "λ1,41.3,,0.0001,37.17,2.678,0.6\nλ2,28.9,",
    );
    expect(readFileSync(join(out, "tables/layers.csv"), "utf8")).toContain("conv1,432,19.4,0.0002,yes,");
    const ids = [...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("is the same bytes every time", async () => {
    const [a, b] = [temporary(), temporary()];
    for (const out of [a, b]) await writeCurvatureReport({ ...fakeCurvature, slices: [] }, out);
    expect(readFileSync(join(a, "report.html")).equals(readFileSync(join(b, "report.html")))).toBe(true);
  });

  it("leaves no figure of an earlier result, and says what was not measured", async () => {
    const out = temporary();
    const { figures } = await writeCurvatureReport({ ...bareCurvature, slices: [line("v1", (a) => a)] }, out);
    for (const path of figures) expect(existsSync(path), path).toBe(true);
    expect((await writeCurvatureReport(bareCurvature, out)).figures).toEqual([]);
    for (const path of figures) expect(existsSync(path), path).toBe(false);
    expect(readFileSync(join(out, "report.html"), "utf8")).toContain("Spectral density: not measured");
  });

  it("says what was stopped, and of what is there that it is not whole", async () => {
    const missing = ["eigenvalues", "residuals", "density", "layers"] as const;
    const some = { eigenvalues: [3], converged: false, missing, layers: fakeCurvature.layers!.slice(0, 2) };
    const { html } = await writeCurvatureReport({ ...bareCurvature, ...some }, temporary());
    const text = readFileSync(html, "utf8");
    for (const title of ["Extreme eigenvalues", "Residuals", "Spectral density", "Curvature by layer"])
      expect(text).toContain(`${title}: stopped before the end`);
    expect(text).toContain("Slices of the loss: not measured");
    expect(text).not.toContain("Spectral density: not measured");
    expect(text).toContain("the true eigenvalues lie further out");
  });

  it.each<[string, Partial<CurvatureResult>]>([
    [
      "forty eigenvalues",
      { eigenvalues: evenly(200, 0.01, 40), heldOut: evenly(20, 0, 40).map((stderr) => ({ mean: 10, stderr })) },
    ],
    ["one tiny eigenvalue", { eigenvalues: [3.2e-7] }],
    ["only negative ones", { bottom: [-2e7, -1e7] }],
    ["zeros", { eigenvalues: [0], bottom: [0], slices: [line("v1", () => 1, [0, 0]), plane(["g", "v1"], () => 1, 3)] }],
    [
      "no numbers",
      {
        eigenvalues: [Number.NaN, 1],
        heldOut: [{ mean: Number.NaN, stderr: Number.NaN }],
        layers: [
          { ...fakeCurvature.layers![0]!, eigenvalue: Number.NaN, trace: { mean: Number.NaN, stderr: Number.NaN } },
        ],
      },
    ],
  ])("holds with %s", async (_, some) => {
    const { figures, tables } = await writeCurvatureReport({ ...bareCurvature, ...some }, temporary());
    expect(figures.length).toBeGreaterThan(0);
    for (const path of [...figures.filter((name) => name.endsWith(".svg")), ...tables])
      expect(readFileSync(path, "utf8"), path).not.toMatch(/NaN|undefined|Infinity/);
  });
});
