import { describe, expect, it } from "vitest";
import type { StepMetricInfo } from "../src/optim/metrics/metric.ts";
import { figuresOf } from "../src/report/figures/index.ts";
import { stepMetricFigure } from "../src/report/figures/step-metric.ts";
import { findRuns } from "../src/report/find-runs.ts";
import { type Group, groupRuns } from "../src/report/groups.ts";
import { toCsv } from "../src/report/table.ts";
import { resultsTable } from "../src/report/tables.ts";
import { fakeRuns } from "./support/fake-runs.ts";

const groupsIn = (...paths: string[]): Group[] => groupRuns(findRuns(paths).runs);

describe("a step metric", () => {
  const info = { name: "kappa", title: "kappa", symbol: "κ", about: "A number." };
  const figure = { title: "Kappa", shows: "Kappa", needs: "kappa", within: [0, 9], linear: true } as const;
  /** Runs that record it as 0, 1, 2, … and for the last step not at all, and say what it is. */
  const measured = (metric: StepMetricInfo): Group[] =>
    groupsIn(fakeRuns(["sgd"], [1, 2])).map((group) => ({
      ...group,
      runs: group.runs.map((run) => ({
        ...run,
        record: { ...run.record, metrics: [metric] },
        steps: run.steps.map((line) =>
          Object.assign({}, line, { kappa: line.step < 59 ? line.step / 10 : Number.NaN }),
        ),
      })),
    }));

  it("that a run brings with it has a figure under its name, and a column of means or last values", () => {
    const groups = measured({ ...info, figure, table: "mean" });
    const own = figuresOf(groups).find(({ name }) => name === "kappa")!;
    expect(own.title).toBe("Kappa");
    const { spec, caption } = own.draw(groups)!;
    expect(caption).toBe(
      "Kappa, averaged over bins of about 3 steps; lines are means over 2 seeds, thin lines the seeds.",
    );
    const { values } = (spec as unknown as { data: { values: { x: number; y: number }[] } }).data;
    expect(values).toHaveLength(20);
    expect(values[0]).toMatchObject({ x: 1, y: expect.closeTo(0.1, 12) });
    const cell = (table: "mean" | "last") => {
      const { head, rows, note } = resultsTable(measured({ ...info, figure, table }));
      return [
        rows[0]![head.indexOf("κ")]!.text,
        note.includes(`κ is the ${table === "mean" ? "mean" : "value of the last"}`),
      ];
    };
    // The mean of 0 to 5.8, and 5.8.
    expect(cell("mean")).toEqual(["2.900 ± 0.000", true]);
    expect(cell("last")).toEqual(["5.800 ± 0.000", true]);
    expect(toCsv(resultsTable(groups))).toContain(",kappaMean,");
  });

  it("has no figure and no column where it asks for none, and none where no run has it", () => {
    expect(stepMetricFigure(info)).toBeNull();
    expect(resultsTable(measured(info)).head).not.toContain("κ");
    expect(stepMetricFigure({ ...info, figure })!.draw(groupsIn(fakeRuns(["sgd"], [1])))).toBeNull();
  });
});
