import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { findRuns } from "../src/report/find-runs.ts";
import { type Group, groupRuns } from "../src/report/groups.ts";
import { writeReport } from "../src/report/index.ts";
import { stylesOf } from "../src/report/palette.ts";
import { titleOf } from "../src/report/summary.ts";
import { toMarkdown } from "../src/report/table.ts";
import { runFiles } from "../src/run/files.ts";
import { fakeRun, fakeRuns, temporary } from "./support/fake-runs.ts";
import { writeFileSync } from "node:fs";

const groupsIn = (...paths: string[]): Group[] => groupRuns(findRuns(paths).runs);
const labels = (groups: readonly Group[]) => groups.map(({ label }) => label);

describe("runs that have little in common", () => {
  it("are told apart by as few settings as do, numbers in their order", () => {
    const folder = temporary();
    for (const rho of [0.5, 0.05, 10])
      for (const seed of [1, 2])
        fakeRun(join(folder, `${rho}-${seed}`), {
          seed,
          settings: { method: { rho }, optimizer: { lr: rho / 10 }, train: { epochs: 3, testEvery: rho > 1 ? 1 : 0 } },
        });
    expect(labels(groupsIn(folder))).toEqual(["SAM ρ=0.05", "SAM ρ=0.5", "SAM ρ=10"]);
  });

  it("have short, distinct labels and a short title, however long their settings are", () => {
    const folder = temporary();
    const long = "/a/very/long/folder/with/arrays-of-the-second-measurement-in-may-";
    for (const i of [1, 2, 3])
      for (const method of ["sgd", "sam"])
        fakeRun(join(folder, `${method}${i}`), {
          method,
          settings: {
            data: {
              name: "npy",
              images: `${long}${i}.npy`,
              labels: `${long}y${i}.npy`,
              testImages: `${long}xt${i}.npy`,
              testLabels: `${long}yt${i}.npy`,
            },
          },
        });
    const groups = groupsIn(folder);
    expect(labels(groups)).toEqual(["SGD 1", "SGD 2", "SGD 3", "SAM 1", "SAM 2", "SAM 3"]);
    expect(titleOf(groups)).toBe("SGD 1, SGD 2, SGD 3, SAM 1, SAM 2, SAM 3 on npy");
  });

  it("do not name settings that only some of them have as a default", () => {
    const folder = fakeRuns(["sam"], [1]);
    fakeRun(join(folder, "own"), {
      settings: { data: { name: "npy", images: "x.npy", labels: "y.npy", testImages: "t.npy", testLabels: "u.npy" } },
    });
    for (const label of labels(groupsIn(folder))) expect(label).not.toMatch(/default|undefined/);
  });

  it("are titled by what they share where their labels are long", () => {
    const folder = temporary();
    for (const rho of [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1])
      fakeRun(join(folder, `${rho}`), { settings: { method: { rho } } });
    expect(titleOf(groupsIn(folder))).toBe("SAM in 7 settings on fashion-mini");
  });

  it("have a colour each where methods coincide", () => {
    const folder = fakeRuns(["sgd", "sam"], [1]);
    for (const rho of [0.2, 0.3, 0.4]) fakeRun(join(folder, `${rho}`), { settings: { method: { rho } } });
    const styles = [...stylesOf(groupsIn(folder)).values()];
    expect(new Set(styles.map(({ colour }) => colour)).size).toBe(5);
    expect(styles[0]!.colour).toBe("#6b7280");
    expect(styles[1]!.colour).toBe("#0072b2");
  });
});

describe("names from elsewhere", () => {
  const evil = "<script>alert(1)</script>&amp;\"'`|\u0007\u001b[31m\ud800";

  it("are text in every file of a report", async () => {
    const folder = fakeRuns(["sgd", "sam"], [1, 2]);
    for (const run of ["sam-1", "sam-2"]) {
      const { record } = runFiles(join(folder, run));
      const whole = JSON.parse(readFileSync(record, "utf8"));
      const config = { ...whole.config, method: { name: evil }, data: { ...whole.config.data, name: evil } };
      const own = { method: { name: evil, title: evil, eigenvector: false, colour: '"/><script>' } };
      const model = { ...whole.model, name: evil };
      const data = { ...whole.data, name: evil };
      writeFileSync(record, JSON.stringify({ ...whole, ...own, config, model, data, device: evil, error: evil }));
    }
    const { html, figures, tables } = await writeReport([folder], join(folder, "<b>out"));
    const page = readFileSync(html, "utf8");
    expect(page).not.toMatch(/<script|<b>/i);
    expect(page).toContain("&lt;script&gt;");
    for (const path of [html, ...figures.filter((name) => name.endsWith(".svg"))])
      for (const control of ["\u0007", "\u001b"])
        expect(readFileSync(path, "utf8").includes(control), path).toBe(false);
    expect(figures.length).toBeGreaterThan(4);
    for (const path of figures.filter((name) => name.endsWith(".svg")))
      expect(readFileSync(path, "utf8")).not.toMatch(/<script/i);
    for (const path of tables.filter((name) => name.endsWith(".md")))
      expect(readFileSync(path, "utf8")).not.toMatch(/(^|[^\\])<(script|b>)/i);
    for (const path of [...figures, ...tables]) expect(path.slice(folder.length)).not.toContain("script");
  });

  it.each([
    ["<script>", "\\<script>"],
    ["</td>", "\\</td>"],
    ["![x](http://a)", "!\\[x\\](http://a)"],
    ["a|b", "a\\|b"],
    ["`rm`", "\\`rm\\`"],
    ["*x* _y_ a_b", "\\*x\\* \\_y\\_ a_b"],
    ["&lt;", "\\&lt;"],
    ["two\nlines", "two lines"],
    ["p < 0.001", "p < 0.001"],
  ])("are text in Markdown: %j", (text, expected) => {
    const table = { name: "t", title: "T", head: ["name"], rows: [[{ text }]], note: "", csv: [] };
    expect(toMarkdown(table)).toContain(`\n| ${expected} |\n`);
  });
});
