import { tableHtml } from "../src/report/html.ts";
import { cellsOf } from "../src/report/table.ts";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { howTimed, stepCost } from "../src/report/cost.ts";
import { figuresOf } from "../src/report/figures/index.ts";
import { findRuns } from "../src/report/find-runs.ts";
import { type Group, groupRuns } from "../src/report/groups.ts";
import { type Run, readRun } from "../src/report/read-run.ts";
import { toCsv, toMarkdown } from "../src/report/table.ts";
import { resultsTable } from "../src/report/tables.ts";
import { fakeRun, fakeRuns, temporary } from "./support/fake-runs.ts";

const methods = ["eigen-sam", "sgd", "sam"];
const groupsIn = (...paths: string[]): Group[] => groupRuns(findRuns(paths).runs);

describe("the cost of a step", () => {
  it("holds the estimates of the eigenvector where the method needs them, and only there", () => {
    const cost = (method: string) => stepCost(groupsIn(fakeRuns([method], [1]))[0]!.runs[0]!)!;
    // 4 estimates of 0.3 s in 60 steps.
    expect(cost("eigen-sam").refresh).toBeCloseTo(0.02, 12);
    const { total, step, refresh, wait } = cost("sam");
    expect(refresh).toBe(0);
    expect(total).toBeCloseTo(step + wait, 12);
    // The median step took 0.1 s, however long the epoch.
    expect(step).toBe(0.1);
  });

  it("does not count an interruption", () => {
    const run = groupsIn(fakeRuns(["eigen-sam"], [1]))[0]!.runs[0]!;
    const interrupted: Run = {
      ...run,
      // The machine slept for an hour in the second epoch, and in one estimate.
      epochTimes: run.epochTimes.map((time, i) =>
        i === 1 ? { ...time, seconds: 3600, imagesPerSecond: (time.imagesPerSecond * time.seconds) / 3600 } : time,
      ),
      refreshTimes: run.refreshTimes.map((time, i) => (i === 1 ? { ...time, seconds: 3600 } : time)),
    };
    expect(stepCost(interrupted)!.total / stepCost(run)!.total).toBeCloseTo(1, 2);
  });

  it("says whether runs were side by side", () => {
    const at = (...starts: number[]) =>
      groupRuns(
        starts.map((start, i) => {
          const run = readRun(fakeRun(temporary(), { seed: i + 1 }));
          return { ...run, record: { ...run.record, startedAt: new Date(1000 * start).toISOString() } };
        }),
      );
    // Each took 6 s.
    expect(howTimed(at(0, 6, 20))).toContain("one of these runs at a time");
    expect(howTimed(at(0, 5, 9))).toContain("up to 2 of these runs side by side");
    expect(howTimed(at(0, 1, 2))).toContain("up to 3 of these runs side by side");
    for (const text of [resultsTable(at(0, 1)).note, figuresOf([]).at(-1)!.draw(at(0, 1))!.caption])
      expect(text).toContain("so it is no measure of speed");
  });
});

describe("the table", () => {
  it("marks no accuracy where no difference was found", () => {
    const table = resultsTable(groupsIn(fakeRuns(methods, [1, 2, 3])));
    expect(table.note).not.toContain("Bold");
    expect(toMarkdown(table)).not.toContain("**");
  });

  it("says nothing about accuracies where no run is complete", () => {
    const { note } = resultsTable(groupsIn(fakeRuns(methods, [1, 2], { epochs: 1 })));
    expect(note).toMatch(
      /^Mean ± sample standard deviation over seeds\. λ₁ and v₁ were measured by Lanczos .* over the looks\. Time is/,
    );
  });

  it("marks one that lies apart", () => {
    const folder = fakeRuns(["sgd"], [1, 2, 3]);
    for (const seed of [1, 2, 3]) fakeRun(join(folder, `b${seed}`), { method: "sam", seed, better: 0.15 });
    const markdown = toMarkdown(resultsTable(groupsIn(folder)));
    expect(markdown).toMatch(/\| SAM \| 3 \| \*\*95\.\d\d ± 0\.\d\d\*\* \|/);
  });

  it("marks nothing for one seed each", () => {
    const folder = fakeRuns(["sgd"], [1]);
    fakeRun(join(folder, "better"), { method: "sam", better: 0.15 });
    const table = resultsTable(groupsIn(folder));
    expect(table.note).toMatch(/^One seed each, so there are no deviations, and nothing is known of differences/);
    expect(toMarkdown(table)).not.toContain("**");
  });

  it("takes the end of complete runs alone, and says of how many", () => {
    const folder = fakeRuns(["sgd"], [1, 2]);
    fakeRun(join(folder, "half"), { method: "sgd", seed: 3, epochs: 1 });
    const [row] = resultsTable(groupsIn(folder)).rows;
    expect(row!.slice(0, 3).map(({ text }) => text)).toEqual(["SGD", "3", expect.stringContaining("(n = 2)")]);
  });

  it("gives numbers apart in CSV, and quotes what needs it", () => {
    const folder = fakeRuns(["sam"], [1, 2]);
    fakeRun(join(folder, "step"), { settings: { schedule: { name: "step", milestones: [1, 2] } } });
    const [head, first] = toCsv(resultsTable(groupsIn(folder))).split("\n");
    expect(head).toMatch(/^group,method,runs,testAccuracyPercentMean,testAccuracyPercentStd,/);
    expect(toCsv(resultsTable(groupsIn(folder)))).toContain("SAM schedule=step,sam,1,");
    expect(toCsv({ ...resultsTable([]), csv: [['a "b"', "c, d"]] })).toBe('"a ""b""","c, d"\n');
    expect(first!.split(",").slice(-4).map(Number)).not.toContain(Number.NaN);
  });
});

describe("a table of a page", () => {
  it("has words to the left and numbers to the right", () => {
    const rows = [
      ["0.1", "third-order SDE", "0.2"],
      ["0.2", "SAM", "–"],
    ].map(cellsOf);
    const html = tableHtml({ name: "x", title: "", head: ["ρ", "process", "loss"], rows, note: "", csv: [] });
    expect(html).toContain('<th scope="col" class="words">process</th><th scope="col">loss</th>');
    expect(html).toContain('<td class="words">SAM</td><td>–</td>');
  });
});
