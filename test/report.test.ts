import { appendFileSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { figures } from "../src/report/figures/index.ts";
import { groupRuns } from "../src/report/groups.ts";
import { writeReport } from "../src/report/index.ts";
import { findRuns, readRun } from "../src/report/read-run.ts";
import { band, binned, studentT975, summarize } from "../src/report/statistics.ts";
import { resultsTable, toCsv, toMarkdown } from "../src/report/tables.ts";
import { runFiles } from "../src/train/run-dir.ts";
import { InputError } from "../src/util/errors.ts";
import { cutShort, fakeRun, fakeRuns } from "./support/fake-runs.ts";

const methods = ["eigen-sam", "sgd", "sam"];

describe("statistics", () => {
  it("are mean, sample deviation and Student's interval", () => {
    const { mean, std, ci95 } = summarize([1, 2, 3, 4]);
    expect(mean).toBe(2.5);
    expect(std).toBeCloseTo(Math.sqrt(5 / 3), 12);
    expect(ci95).toBeCloseTo((3.182 * Math.sqrt(5 / 3)) / 2, 12);
    expect(summarize([7])).toEqual({ n: 1, mean: 7, std: undefined, ci95: undefined });
  });

  // From R: qt(0.975, c(40, 60, 120)).
  it.each([
    [40, 2.021075],
    [60, 2.000298],
    [120, 1.97993],
  ])("quantile of t at %d degrees of freedom", (freedom, expected) => {
    expect(studentT975(freedom)).toBeCloseTo(expected, 4);
  });

  it("of curves stand at every x that occurs, and bins average within a curve", () => {
    const curves = [
      [
        { x: 1, y: 1 },
        { x: 2, y: 3 },
      ],
      [{ x: 1, y: 3 }],
    ];
    expect(band(curves).map(({ x, n, mean }) => [x, n, mean])).toEqual([
      [1, 2, 2],
      [2, 1, 3],
    ]);
    expect(
      binned(
        [
          { x: 0, y: 1 },
          { x: 1, y: 3 },
          { x: 2, y: 9 },
        ],
        2,
      ),
    ).toEqual([
      { x: 1, y: 2 },
      { x: 3, y: 9 },
    ]);
  });
});

describe("groups", () => {
  it("are runs that differ by the seed alone, in the registry's order", () => {
    const { runs } = fakeRuns(methods, [1, 2]);
    expect(groupRuns(runs.map(readRun)).map(({ label, runs: inside }) => [label, inside.length])).toEqual([
      ["SGD", 2],
      ["SAM", 2],
      ["Eigen-SAM", 2],
    ]);
  });

  it("of one method are told apart by what differs", () => {
    const parent = mkdtempSync(join(tmpdir(), "eigensam-runs-"));
    const runs = [fakeRun(parent, "sam", 1), fakeRun(parent, "sam", 1, { method: { name: "sam", rho: 0.2 } })];
    expect(groupRuns(runs.map(readRun)).map(({ label }) => label)).toEqual(["SAM ρ=0.1", "SAM ρ=0.2"]);
  });
});

describe("reading runs", () => {
  it("finds them in a folder, and says when there are none", () => {
    const { parent, runs } = fakeRuns(["sgd"], [1, 2]);
    expect(findRuns([parent])).toEqual(runs);
    expect(() => findRuns([join(parent, "nowhere")])).toThrow(InputError);
    expect(() => findRuns([join(runs[0]!, "checkpoints")])).toThrow("holds no run");
  });

  it("leaves out a last line that was cut short, and refuses any other broken one", () => {
    const { runs } = fakeRuns(["sgd"], [1]);
    const before = readRun(runs[0]!);
    cutShort(runs[0]!);
    expect(readRun(runs[0]!)).toEqual(before);
    appendFileSync(runFiles(runs[0]!).metrics, "\n");
    expect(() => readRun(runs[0]!)).toThrow(/metrics.jsonl: line \d+ is no JSON/);
  });
});

describe("a report", () => {
  it("has a page, every figure as SVG and PNG, and the table", async () => {
    const { parent } = fakeRuns(methods, [1, 2, 3]);
    const out = join(parent, "report");
    const report = await writeReport([parent], out);
    expect(report.figures).toHaveLength(2 * figures.length);
    for (const path of report.figures.filter((name) => name.endsWith(".png"))) {
      const png = readFileSync(path);
      expect(png.subarray(1, 4).toString()).toBe("PNG");
      expect(png.readUInt32BE(16), path).toBeGreaterThan(1000);
    }
    const html = readFileSync(report.html, "utf8");
    expect(html).toContain("<h1>SGD, SAM, Eigen-SAM on fashion-mini</h1>");
    expect(html.match(/<svg/g)).toHaveLength(figures.length);
    expect(html).not.toMatch(/<script|src="http|href="http/);
    expect(html).toContain("means over 3 seeds");
  });

  it("is the same bytes every time", async () => {
    const { parent } = fakeRuns(methods, [1, 2]);
    const [a, b] = [await writeReport([parent], join(parent, "a")), await writeReport([parent], join(parent, "b"))];
    expect(readFileSync(a.html).equals(readFileSync(b.html))).toBe(true);
    a.figures.forEach((path, i) => {
      expect(readFileSync(path).equals(readFileSync(b.figures[i]!)), path).toBe(true);
    });
  });

  it("says which figures cannot be drawn, and why", async () => {
    const { parent } = fakeRuns(["sgd"], [1]);
    const { html } = await writeReport([parent], join(parent, "report"));
    expect(readFileSync(html, "utf8")).toContain(
      "Not drawn: Alignment of the perturbation with the top eigenvector (needs",
    );
    expect(readFileSync(html, "utf8")).toContain("One run each, so there is no band.");
  });

  it("ranks nothing where intervals overlap", () => {
    const { runs } = fakeRuns(methods, [1, 2, 3]);
    const table = resultsTable(groupRuns(runs.map(readRun)));
    expect(table.note).toContain("do not rank the methods");
    expect(table.rows.map(([label, n]) => [label, n])).toEqual([
      ["SGD", "3"],
      ["SAM", "3"],
      ["Eigen-SAM", "3"],
    ]);
    expect(toMarkdown(table).split("\n")[1]).toMatch(/^\| --- \| ---: \|/);
    expect(toCsv(table).split("\n")[0]).toBe(
      'method,n,"test accuracy, %",test loss,training loss,last λ₁,"|cos(ε, v₁)|",ms per step',
    );
  });

  it.each(figures.map((figure) => [figure.name, figure] as const))("draws %s as before", (_, figure) => {
    const { runs } = fakeRuns(methods, [1, 2]);
    const drawn = figure.draw(groupRuns(runs.map(readRun)));
    expect(drawn?.caption).toMatchSnapshot();
    expect(drawn?.spec).toMatchSnapshot();
  });
});
