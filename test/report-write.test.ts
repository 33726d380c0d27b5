import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type NamedFigure, specOf } from "../src/report/figures/figure.ts";
import type { Table } from "../src/report/table.ts";
import { writeReportFolder } from "../src/report/write.ts";
import { InputError } from "../src/util/errors.ts";
import { temporary } from "./support/fake-runs.ts";

const figure = (name: string): NamedFigure => ({
  name,
  title: "A <figure>",
  caption: "A point.",
  spec: specOf({ data: { values: [{ x: 1 }] }, mark: "point", encoding: { x: { field: "x", type: "quantitative" } } }),
});
const table = (name: string): Table => ({
  name,
  title: "A & B",
  head: ["name", "|x|"],
  rows: [
    [
      { text: "<λ>", sub: "1" },
      { text: "2", bold: true },
    ],
  ],
  note: "A note.",
  csv: [
    ["name", "x"],
    ["λ1", 2],
  ],
});
const content = { title: "Page", facts: [["seeds", "1, 2"]], missing: ["nothing: on purpose"] } as const;

describe("the folder of a report", () => {
  it("is one page, figures as SVG and PNG, and tables as Markdown and CSV", async () => {
    const out = join(temporary(), "new");
    const report = await writeReportFolder(out, {
      ...content,
      tables: [table("a")],
      details: [table("b")],
      figures: [figure("f-1.5")],
    });
    expect(report).toEqual({
      html: join(out, "report.html"),
      figures: ["f-1.5.svg", "f-1.5.png"].map((name) => join(out, "figures", name)),
      tables: ["a.md", "a.csv", "b.md", "b.csv"].map((name) => join(out, "tables", name)),
    });
    expect(readdirSync(out).sort()).toEqual(["figures", "report.html", "tables"]);
    expect(readFileSync(join(out, "tables/a.md"), "utf8")).toContain(
      "| name | \\|x\\| |\n| --- | ---: |\n| <λ>1 | **2** |",
    );
    expect(readFileSync(join(out, "tables/b.csv"), "utf8")).toBe("name,x\nλ1,2\n");
    const page = readFileSync(report.html, "utf8");
    const parts = [
      "<h1>Page",
      "<dd>1, 2<",
      "<h2>A &amp; B",
      "<strong>2<",
      "<svg",
      "nothing: on purpose",
      "<summary>A &amp; B",
    ];
    const at = parts.map((part) => page.indexOf(part));
    expect(at).toEqual(at.toSorted((a, b) => a - b));
    expect(at[0]).toBeGreaterThan(0);
    expect(page).toContain('<th scope="row">&lt;λ&gt;<sub>1</sub></th>');
  });

  it("loses the files of an earlier report alone", async () => {
    const out = temporary();
    mkdirSync(join(out, "figures"));
    for (const name of ["figures/mine.png", "notes.md"]) writeFileSync(join(out, name), "mine");
    await writeReportFolder(out, { ...content, tables: [table("a"), table("b")], figures: [figure("f"), figure("g")] });
    await writeReportFolder(out, { ...content, tables: [table("b")], figures: [figure("g")] });
    expect(readdirSync(join(out, "figures")).sort()).toEqual(["g.png", "g.svg", "mine.png"]);
    expect(readdirSync(join(out, "tables")).sort()).toEqual(["b.csv", "b.md"]);
    expect(readFileSync(join(out, "notes.md"), "utf8")).toBe("mine");
  });

  it("removes nothing outside of it, whatever an earlier page lists", async () => {
    const out = join(temporary(), "report");
    mkdirSync(out);
    const outside = join(out, "..", "a.png");
    writeFileSync(outside, "mine");
    const listed = "figures/../../a.png ../a.png figures/..";
    writeFileSync(join(out, "report.html"), `<meta name="eigensam:files" content="${listed}">`);
    await writeReportFolder(out, { ...content, tables: [], figures: [] });
    expect(existsSync(outside)).toBe(true);
  });

  it.each([
    ["a figure that cannot be drawn", { ...figure("f"), spec: specOf({ mark: "nothing" }) }],
    ["a name that leaves the folder", figure("../f")],
  ])("stays as it was where there is %s", async (_, bad) => {
    const out = temporary();
    await writeReportFolder(out, { ...content, tables: [table("a")], figures: [figure("f")] });
    const before = readFileSync(join(out, "report.html"), "utf8");
    const writing = writeReportFolder(out, { ...content, title: "Other", tables: [table("b")], figures: [bad] });
    await expect(writing).rejects.toThrow(bad.name === "f" ? Error : InputError);
    expect(readFileSync(join(out, "report.html"), "utf8")).toBe(before);
    expect(readdirSync(join(out, "tables")).sort()).toEqual(["a.csv", "a.md"]);
  });
});
