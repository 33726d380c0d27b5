import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { stepCost } from "../src/report/cost.ts";
import { figuresOf } from "../src/report/figures/index.ts";
import { findRuns } from "../src/report/find-runs.ts";
import { type Group, groupRuns } from "../src/report/groups.ts";
import { writeReport } from "../src/report/index.ts";
import { stylesOf } from "../src/report/palette.ts";
import { factsOf } from "../src/report/summary.ts";
import { type Run, readRun } from "../src/report/read-run.ts";
import { toCsv, toMarkdown } from "../src/report/table.ts";
import { resultsTable, runsTable } from "../src/report/tables.ts";
import { runFiles } from "../src/run/files.ts";
import { trainingMethods } from "../src/optim/methods/index.ts";
import { InputError } from "../src/util/errors.ts";
import { eigensam, jsonLines } from "./support/cli.ts";
import { cutShort, fakeRun, fakeRuns, temporary } from "./support/fake-runs.ts";

const methods = ["eigen-sam", "sgd", "sam"];
const groupsIn = (...paths: string[]): Group[] => groupRuns(findRuns(paths).runs);
const labels = (groups: readonly Group[]) => groups.map(({ label }) => label);

describe("reading a run", () => {
  it("loses nothing but a last line that was cut short", () => {
    const run = fakeRun(temporary());
    const before = readRun(run);
    expect(before.epochs.map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
    cutShort(run);
    expect(readRun(run)).toEqual(before);
  });

  it.each([
    ["no JSON", '{"kind":"step","st', 'got {"kind":"step","st, expected JSON'],
    ["an unknown kind", '{"kind":"stop"}', 'got "stop" for kind'],
    ["a missing number", '{"kind":"refresh","step":1,"epoch":1}', "got nothing for eigenvalue"],
    ["a wrong type", '{"kind":"done","test":{"loss":"low","accuracy":1}}', 'got "low" for test.loss'],
  ])("refuses a line with %s, naming file and line", (_, line, message) => {
    const run = fakeRun(temporary());
    const { metrics } = runFiles(run);
    const number = readFileSync(metrics, "utf8").split("\n").length;
    appendFileSync(metrics, `${line}\n`);
    expect(() => readRun(run)).toThrow(InputError);
    expect(() => readRun(run)).toThrow(`metrics.jsonl: line ${number}: ${message}`);
  });

  it("refuses a run.json of another version, and a folder without one", () => {
    const run = fakeRun(temporary());
    const { record } = runFiles(run);
    writeFileSync(record, readFileSync(record, "utf8").replace('"version": 1', '"version": 2'));
    expect(() => readRun(run)).toThrow(/run.json: got 2 for version/);
    rmSync(record);
    expect(() => readRun(run)).toThrow("has no run.json");
  });

  it("keeps the Rayleigh quotient of an estimate, and metrics that a plugin adds to a step", () => {
    const run = fakeRun(temporary());
    const step = { kind: "step", step: 60, epoch: 3, lr: 0.1, loss: 1, gradNorm: 1, mine: 0.5, yours: null };
    appendFileSync(runFiles(run).metrics, `${JSON.stringify(step)}\n`);
    const { refreshes, steps } = readRun(run);
    expect(refreshes.at(-1)!.rayleigh).toBeCloseTo(0.9 * refreshes.at(-1)!.eigenvalue, 12);
    expect(steps.at(-1)).toEqual({ ...step, yours: Number.NaN });
    appendFileSync(runFiles(run).metrics, `${JSON.stringify({ ...step, mine: "high" })}\n`);
    expect(() => readRun(run)).toThrow('got "high" for mine');
  });

  it("takes null for what JSON has no number for", () => {
    const run = fakeRun(temporary());
    const line = { kind: "refresh", step: 99, epoch: 3, eigenvalue: 0, residual: null, cosGradV: 0 };
    appendFileSync(runFiles(run).metrics, `${JSON.stringify(line)}\n`);
    expect(readRun(run).refreshes.at(-1)!.residual).toBeNaN();
  });
});

describe("finding runs", () => {
  it("looks into folders, and leaves out runs that have not begun", () => {
    const folder = fakeRuns(["sgd"], [1, 2]);
    mkdirSync(join(folder, "new"));
    writeFileSync(runFiles(join(folder, "new")).config, "");
    const { runs, leftOut } = findRuns([folder, join(folder, "sgd-1")]);
    expect(runs.map(({ path }) => path)).toEqual([join(folder, "sgd-1"), join(folder, "sgd-2")]);
    expect(leftOut).toEqual([`${join(folder, "new")} has not begun`]);
  });

  it("counts equal settings with an equal seed once", () => {
    const folder = fakeRuns(["sgd"], [1]);
    fakeRun(join(folder, "again"), { method: "sgd", seed: 1, epochs: 1 });
    const { runs, leftOut } = findRuns([folder]);
    expect(runs.map(({ path }) => path)).toEqual([join(folder, "sgd-1")]);
    expect(leftOut).toEqual([`${join(folder, "again")} repeats ${join(folder, "sgd-1")}`]);
  });

  it("says what is missing", () => {
    const folder = temporary();
    expect(() => findRuns([join(folder, "nowhere")])).toThrow("is not there");
    expect(() => findRuns([folder])).toThrow("holds no run");
    // As runs/* gives them, where one is the folder of an experiment.
    const some = fakeRuns(["sgd"], [1]);
    const { runs, leftOut } = findRuns([some, folder]);
    expect([runs.length, leftOut]).toEqual([1, [`${folder} holds no run`]]);
    expect(() => findRuns([folder, temporary()])).toThrow(/no run of eigensam train was found: .* holds no run; /);
  });
});

describe("runs of another kind", () => {
  const sdeRecord = { kind: "sde", version: 1, status: "done" };

  it("are left out of a report, and named where there is nothing else", () => {
    const folder = fakeRuns(["sgd"], [1]);
    const other = join(folder, "sde");
    mkdirSync(other);
    writeFileSync(runFiles(other).record, JSON.stringify(sdeRecord));
    const { runs, leftOut } = findRuns([folder]);
    expect(runs).toHaveLength(1);
    expect(leftOut).toEqual([`${other} is a run of kind "sde"`]);
    expect(() => findRuns([other])).toThrow(`no run of eigensam train was found: ${other} is a run of kind "sde"`);
    expect(() => readRun(other)).toThrow(`${other} is a run of kind "sde", not "train"`);
  });
});

describe("runs with a method of a plugin", () => {
  const withMethod = (method: object): string => {
    const folder = fakeRuns(["sam", "sgd"], [1]);
    const { record } = runFiles(join(folder, "sam-1"));
    const whole = JSON.parse(readFileSync(record, "utf8"));
    writeFileSync(
      record,
      JSON.stringify({ ...whole, ...method, config: { ...whole.config, method: { name: "mine" } } }),
    );
    return folder;
  };

  it("go by the title and the colour that run.json gives, behind the registry's", () => {
    const method = { name: "mine", title: "My SAM", eigenvector: true, colour: "#123456", extra: 1 };
    const groups = groupsIn(withMethod({ method }));
    expect(labels(groups)).toEqual(["SGD", "My SAM"]);
    expect(stylesOf(groups).get("My SAM")!.colour).toBe("#123456");
    expect(stepCost(groups[1]!.runs[0]!)!.refresh).toBeGreaterThan(0);
  });

  it("go by their name where it gives none", () => {
    const groups = groupsIn(withMethod({}));
    expect(labels(groups)).toEqual(["SGD", "mine"]);
    expect(stepCost(groups[1]!.runs[0]!)!.refresh).toBe(0);
    expect(stylesOf(groups).get("mine")!.colour).not.toBe(stylesOf(groups).get("SGD")!.colour);
  });
});

describe("groups", () => {
  it("are runs that differ by the seed alone, in the registry's order", () => {
    const groups = groupsIn(fakeRuns(methods, [2, 1]));
    expect(labels(groups)).toEqual(["SGD", "SAM", "Eigen-SAM (free)"]);
    for (const { runs } of groups) expect(runs.map(({ record }) => record.config.seed)).toEqual([1, 2]);
  });

  it("of one method are named by what differs", () => {
    const folder = fakeRuns(["sam", "sgd"], [1]);
    fakeRun(join(folder, "wide"), { settings: { method: { rho: 0.2 } } });
    expect(labels(groupsIn(folder))).toEqual(["SGD", "SAM ρ=0.05", "SAM ρ=0.2"]);
  });

  it("of several data sets are named by the data set, too", () => {
    const folder = fakeRuns(["sam"], [1]);
    fakeRun(join(folder, "other"), { method: "sgd", settings: { data: { name: "svhn" } } });
    expect(labels(groupsIn(folder))).toEqual(["SGD svhn", "SAM fashion-mini"]);
  });
});

describe("figures", () => {
  const figures = figuresOf([]);

  it.each(figures.map((figure) => [figure.name, figure] as const))("draw %s as before", (_, figure) => {
    const drawn = figure.draw(groupsIn(fakeRuns(methods, [1, 2])));
    expect(drawn?.caption ?? null).toMatchSnapshot();
    expect(drawn?.spec ?? null).toMatchSnapshot();
  });

  it("have no band for one seed, and say so", () => {
    const groups = groupsIn(fakeRuns(methods, [1]));
    for (const figure of figures) {
      const drawn = figure.draw(groups);
      if (drawn === null) continue;
      expect(drawn.caption).toMatch(figure.name === "sharpness-by-loss" ? /a line per run/ : /one seed each/i);
      expect(JSON.stringify(drawn.spec)).not.toMatch(/"area"|"trail"/);
    }
  });

  const marksOf = (seeds: readonly number[]) => {
    const { spec, caption } = figures[0]!.draw(groupsIn(fakeRuns(["sgd"], seeds)))!;
    return { marks: JSON.stringify(spec).match(/"(area|trail)"/g), caption };
  };

  it("draw up to three seeds themselves, and a band over more", () => {
    for (const seeds of [
      [1, 2],
      [1, 2, 3],
    ]) {
      const { marks, caption } = marksOf(seeds);
      expect(marks).toEqual(['"trail"']);
      expect(caption).toContain(`means over ${seeds.length} seeds, thin lines the seeds`);
    }
    const { marks, caption } = marksOf([1, 2, 3, 4]);
    expect(marks).toEqual(['"area"']);
    expect(caption).toContain("bands their 95 % confidence intervals");
  });

  it("are not drawn of one epoch, and λ₁ not of step 0 alone, which is said", async () => {
    const run = groupsIn(fakeRuns(["sgd"], [1]))[0]!.runs[0]!;
    const short = groupRuns([{ ...run, epochs: run.epochs.slice(0, 1), probes: run.probes.slice(0, 1) }]);
    for (const { name, draw, lacks } of figures) {
      if (/loss|accuracy/.test(name)) expect(draw(short)).toBeNull();
      if (name === "train-loss") expect(lacks(short)).toBe("one epoch is no curve");
      if (name === "test-loss") expect(lacks(short)).toContain("no run has test scores during training");
    }
    const topEigenvalue = figures.find(({ name }) => name === "top-eigenvalue")!;
    expect(topEigenvalue.draw(short)).toBeNull();
    expect(topEigenvalue.lacks(short)).toBe("one look of the probe is no curve");
    const both = groupRuns([...short[0]!.runs, ...groupsIn(fakeRuns(["sam"], [1, 2]))[0]!.runs]);
    expect(topEigenvalue.draw(both)!.caption).toMatch(/Without SGD: one step is no line\.$/);
  });

  it("end where the shortest run of a group ends", () => {
    const folder = fakeRuns(["sgd"], [1]);
    fakeRun(join(folder, "half"), { method: "sgd", seed: 2, epochs: 2 });
    const { spec } = figures[0]!.draw(groupsIn(folder))!;
    expect((spec as unknown as { data: { values: { x: number }[] } }).data.values.map(({ x }) => x)).toEqual([1, 2]);
  });
});

it("a page says what part of the training labels is wrong", () => {
  const noisy = groupsIn(fakeRuns(["sgd"], [1], { settings: { data: { labelNoise: 0.3 } } }));
  const [clean, wrong] = [groupsIn(fakeRuns(["sgd"], [1])), noisy].map((groups) => factsOf(groups)[0]);
  expect(clean).toEqual(["data", "fashion-mini (9,000 training, 1,000 validation, 2,000 test)"]);
  expect(wrong).toEqual(["data", "fashion-mini (9,000 training with 30 % wrong labels, 1,000 validation, 2,000 test)"]);
});

describe("what the probe found", () => {
  const groups = groupsIn(fakeRuns(methods, [1, 2]));

  it("is drawn with operator, images and worst residual, not with what a solver believes", () => {
    const captions = figuresOf(groups).flatMap(({ name, draw }) =>
      ["top-eigenvalue", "alignment", "sharpness-by-loss"].includes(name) ? [draw(groups)!.caption] : [],
    );
    expect(captions).toHaveLength(3);
    for (const caption of captions)
      expect(caption).toContain(
        "by Lanczos on the mean Hessian of 4 fixed mini-batches (of 512 training images in all), none of which a step or a solver took, with residuals up to 0.020",
      );
    // The solver's first estimate is −150.
    for (const { name, draw } of figuresOf(groups))
      expect(JSON.stringify(draw(groups)?.spec ?? ""), name).not.toContain("-150");
  });

  it("stands in the table, λ₁ only where it was measured at the end", () => {
    const columns = (of: readonly Group[], head: string) => {
      const table = resultsTable(of);
      return table.rows.map((row) => row[table.head.indexOf(head)]?.text);
    };
    expect(columns(groups, "λ₁ at the end")[0]).toMatch(/^2\d\.\d ± /);
    const early = groupRuns(groups[0]!.runs.map((run) => ({ ...run, probes: run.probes.slice(0, -1) })));
    expect(resultsTable(early).head).not.toContain("λ₁ at the end");
    // The mean over four looks, of which the last has no step.
    expect(Number(columns(groups, "|cos(ε, v₁)|")[1]!.split(" ")[0])).toBeCloseTo(0.15 / 0.9, 1);
    expect(columns(groups, "steps along v̂, %")).toEqual(["–", "–", "100 ± 0"]);
    expect(labels(groups)).toEqual(["SGD", "SAM", "Eigen-SAM (free)"]);
  });
});

describe("a method that is not built in", () => {
  /** As a run of a plugin's method would be read. */
  const plugin = (run: Run, name: string, method?: object): Run => {
    const record = JSON.parse(JSON.stringify(run.record));
    record.config.method.name = name;
    return { ...run, record: { ...record, ...(method ? { method } : {}) } };
  };
  const [sam, again] = groupsIn(fakeRuns(["sam"], [1, 2]))[0]!.runs as [Run, Run];
  const colours = (groups: readonly Group[]) => [...stylesOf(groups).values()].map(({ colour }) => colour);

  it("is called and coloured as its runs record it, after the methods that are", () => {
    const swam = { title: "SWAM", colour: "#117733", eigenvector: true };
    const groups = groupRuns([plugin(sam, "swam", swam), sam]);
    expect(labels(groups)).toEqual(["SAM", "SWAM (free)"]);
    expect(colours(groups)).toEqual(["#0072b2", "#117733"]);
    const [own, other] = groups.map(({ runs }) => stepCost(runs[0]!)!);
    expect(own!.refresh).toBe(0);
    expect(other!.refresh).toBeGreaterThan(0);
  });

  it("has its name and a spare colour where its runs record nothing", () => {
    for (const name of ["swam", "constructor", "__proto__"]) {
      const groups = groupRuns([sam, plugin(again, name)]);
      expect(labels(groups)).toEqual(["SAM", name]);
      expect(colours(groups)).toEqual(["#0072b2", "#e69f00"]);
      expect(stepCost(groups[1]!.runs[0]!)!.refresh).toBe(0);
      for (const { draw } of figuresOf(groups)) expect(JSON.stringify(draw(groups)) ?? "").not.toMatch(/undefined|NaN/);
      for (const table of [resultsTable(groups), runsTable(groups)])
        expect(toMarkdown(table) + toCsv(table)).not.toMatch(/undefined|NaN/);
    }
  });

  it("shares its colour with no other method while colours last, and may record no colour that is none", () => {
    const odd = { colour: "rgb(0, 0, 0)" };
    const same = { colour: "#0072B2" };
    const groups = groupRuns([sam, plugin(sam, "a", same), plugin(sam, "b", odd), plugin(sam, "c")]);
    expect(new Set(colours(groups)).size).toBe(4);
    const many = groupRuns(Array.from({ length: 30 }, (_, i) => plugin(sam, `m${i}`)));
    for (const colour of colours(many)) expect(colour).toMatch(/^#[0-9a-f]{6}$/);
    expect(new Set(colours(many)).size).toBe(1 + Object.keys(trainingMethods).length);
  });

  it("is told apart from a built-in one of the same title", () => {
    const groups = groupRuns([sam, plugin(sam, "my-sam", { title: "SAM" })]);
    expect(labels(groups)).toEqual(["SAM name=sam", "SAM name=my-sam"]);
  });
});

describe("a report", () => {
  it("has a page, figures as SVG and PNG at twice the size, and tables", async () => {
    const folder = fakeRuns(methods, [1, 2, 3]);
    const report = await writeReport([folder], join(folder, "report"));
    for (const path of [report.html, ...report.figures, ...report.tables]) expect(existsSync(path), path).toBe(true);
    const pngs = report.figures.filter((path) => path.endsWith(".png"));
    expect(pngs.length).toBeGreaterThan(5);
    for (const path of pngs) {
      const png = readFileSync(path);
      const svg = readFileSync(path.replace(/png$/, "svg"), "utf8");
      expect(png.subarray(1, 4).toString()).toBe("PNG");
      expect(png.readUInt32BE(16), path).toBe(2 * Number(/width="(\d+)"/.exec(svg)![1]));
      expect(png.length, path).toBeGreaterThan(5000);
      expect(svg).not.toMatch(/NaN|undefined|href/);
    }
    const html = readFileSync(report.html, "utf8");
    expect(html).toContain("<h1>SGD, SAM, Eigen-SAM (free) on fashion-mini</h1>");
    expect(html.match(/<svg/g)).toHaveLength(pngs.length);
    expect(html).not.toMatch(/<script|<link|src=|href=/);
    const ids = [...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("is the same bytes every time", async () => {
    const folder = fakeRuns(methods, [1, 2]);
    const [a, b] = [await writeReport([folder], join(folder, "a")), await writeReport([folder], join(folder, "b"))];
    const files = (report: typeof a) =>
      [report.html, ...report.figures, ...report.tables].map((path) => readFileSync(path));
    const second = files(b);
    for (const [i, bytes] of files(a).entries()) expect(bytes.equals(second[i]!), a.figures[i]).toBe(true);
  });

  it("says what it does not show, and leaves no figure of an earlier one", async () => {
    const [full, bare] = [fakeRuns(["sam"], [1]), fakeRuns(["sam"], [1], { diagnostics: false, epochs: 2 })];
    const out = join(full, "report");
    await writeReport([full], out);
    expect(existsSync(join(out, "figures/alignment.png"))).toBe(true);
    const { html } = await writeReport([bare], out);
    expect(existsSync(join(out, "figures/alignment.png"))).toBe(false);
    const page = readFileSync(html, "utf8");
    expect(page).toContain("Alignment of the perturbation: no run has a method that perturbs");
    expect(page).toContain("was stopped after 2 of 3 epochs");
  });

  it("comes from the command line as JSON", async () => {
    const folder = fakeRuns(["sgd", "sam"], [1]);
    const out = join(folder, "out");
    const { status, stdout } = await eigensam(["report", folder, "--out", out, "--iqm", "--json"]);
    expect(status).toBe(0);
    const [report] = jsonLines<{ html: string; figures: string[]; tables: string[] }>(stdout);
    expect(Object.keys(report!)).toEqual(["html", "figures", "tables", "findings"]);
    expect(report!.html).toBe(join(out, "report.html"));
    expect(report!.tables).toContain(join(out, "tables/iqm.csv"));
    const nowhere = await eigensam(["report", join(folder, "nowhere")]);
    expect(nowhere.status).toBe(1);
    expect(nowhere.stderr).toContain("is not there");
  });
});
