import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { findRuns } from "../src/report/find-runs.ts";
import { type Group, groupRuns } from "../src/report/groups.ts";
import { comparisonOf, winnersOf } from "../src/report/pairs.ts";
import { findingsOf, pairsTable } from "../src/report/pairs-table.ts";
import type { Run } from "../src/report/read-run.ts";
import { toCsv, toMarkdown } from "../src/report/table.ts";
import { resultsTable, runsTable } from "../src/report/tables.ts";
import { fakeRun, fakeRuns, temporary } from "./support/fake-runs.ts";

const groupsIn = (...paths: string[]): Group[] => groupRuns(findRuns(paths).runs);

/** A group for each method, with these test accuracies by seed. */
function scored(methods: Readonly<Record<string, readonly (number | undefined)[]>>): Group[] {
  const folder = temporary();
  const runs = Object.entries(methods).flatMap(([method, scores]) =>
    scores.flatMap((accuracy, i): Run[] => {
      if (accuracy === undefined) return [];
      const path = fakeRun(join(folder, `${method}-${i}`), { method, seed: i + 1 });
      const run = findRuns([path]).runs[0]!;
      const { result } = run.record;
      return [{ ...run, record: { ...run.record, result: { ...result!, test: { loss: 1 - accuracy, accuracy } } } }];
    }),
  );
  return groupRuns(runs);
}
const findings = (groups: readonly Group[]) => findingsOf(comparisonOf(groups));

describe("a paired comparison", () => {
  it("finds a difference that is the same in all seeds, however far seeds lie apart", () => {
    const groups = scored({ sgd: [0.7, 0.8, 0.9], sam: [0.711, 0.812, 0.913] });
    expect(findings(groups)).toEqual([
      "SAM − SGD (3 pairs): test accuracy +1.20 ± 0.25 points (p = 0.002), test loss −0.012 ± 0.002 (p = 0.002), generalization gap +0.021 ± 0.002 (p < 0.001)",
    ]);
    const comparison = comparisonOf(groups);
    expect([...winnersOf(groups, comparison)].map(({ label }) => label)).toEqual(["SAM"]);
    expect(toMarkdown(resultsTable(groups))).toMatch(/\| SAM \| 3 \| \*\*81\.20 ± /);
    expect(toMarkdown(pairsTable(comparison))).toContain(
      "| SAM − SGD | 3 | **+1.20 ± 0.25** | 0.002 | **−0.012 ± 0.002** |",
    );
  });

  it("finds none where it varies from seed to seed, and says what is known", () => {
    const [line] = findings(scored({ sgd: [0.7, 0.8, 0.9], sam: [0.75, 0.77, 0.91] }));
    expect(line).toMatch(
      /^SAM − SGD \(3 pairs\): no difference found: test accuracy \+1\.00 ± 9\.94 points, test loss −0\.010 ± /,
    );
  });

  it("compares each with every other, and corrects for how many there are", () => {
    const scores = { sgd: [0.7, 0.8, 0.9], sam: [0.711, 0.812, 0.913], "eigen-sam": [0.72, 0.79, 0.9] };
    const { pairs } = comparisonOf(scored(scores));
    expect(pairs.map(({ minuend, subtrahend }) => `${minuend.label} ${subtrahend.label}`)).toEqual([
      "SAM SGD",
      "Eigen-SAM (free) SGD",
      "Eigen-SAM (free) SAM",
    ]);
    const [first] = pairs[0]!.differences;
    expect(first!.corrected).toBeCloseTo(3 * first!.p, 14);
    expect(pairsTable(comparisonOf(scored(scores))).note).toContain("corrected by Holm for 3 comparisons");
  });

  it("compares more than five groups with the first alone", () => {
    const { pairs } = comparisonOf(groupsIn(fakeRuns(["sgd", "sam", "usam", "asam", "egr", "third-order"], [1, 2])));
    expect(pairs.map(({ subtrahend }) => subtrahend.label)).toEqual(["SGD", "SGD", "SGD", "SGD", "SGD"]);
  });

  it("takes shared seeds alone, and names those without a partner", () => {
    const groups = scored({ sgd: [0.7, 0.8, 0.9, 0.2], sam: [0.711, 0.812, 0.913, undefined, 0.1] });
    const comparison = comparisonOf(groups);
    expect(comparison.pairs[0]).toMatchObject({ seeds: [1, 2, 3], alone: [4, 5] });
    expect(findingsOf(comparison)[0]).toContain("(3 pairs): test accuracy +1.20 ± 0.25 points");
    const table = pairsTable(comparison);
    expect(table.rows[0]!.at(-1)!.text).toBe("4, 5");
    expect(table.note).toContain("A seed without a partner");
  });

  it.each([
    ["no seed is shared", { sgd: [0.7, 0.8], sam: [undefined, undefined, 0.9, 0.9] }, "they share no complete seed"],
    ["one seed is shared", { sgd: [0.7, 0.8], sam: [0.9] }, "they share one complete seed"],
  ])("is none where %s", (_, scores, why) => {
    const groups = scored(scores);
    expect(findings(groups)).toEqual([`SAM − SGD: not compared, for ${why} and two are needed`]);
    expect(winnersOf(groups, comparisonOf(groups)).size).toBe(0);
    expect(toMarkdown(pairsTable(comparisonOf(groups))) + toCsv(pairsTable(comparisonOf(groups)))).not.toMatch(
      /NaN|undefined/,
    );
  });

  it("is not made between tasks, nor of runs that are not complete", () => {
    const folder = fakeRuns(["sam"], [1, 2]);
    for (const seed of [1, 2])
      fakeRun(join(folder, `other-${seed}`), { method: "sgd", seed, settings: { data: { name: "svhn" } } });
    expect(comparisonOf(groupsIn(folder)).pairs).toEqual([]);
    expect(comparisonOf(groupsIn(fakeRuns(["sgd", "sam"], [1, 2], { epochs: 1 }))).pairs).toEqual([]);
  });

  it("is not made of different test examples under one name", () => {
    const [sgd, sam] = scored({ sgd: [0.7, 0.8], sam: [0.8, 0.9] }) as [Group, Group];
    const tested = (group: Group, test: string): Group => ({
      ...group,
      runs: group.runs.map((run) => ({
        ...run,
        record: { ...run.record, data: { ...run.record.data, digests: { test } } },
      })),
    });
    expect(comparisonOf([tested(sgd, "a"), tested(sam, "b")]).pairs).toEqual([]);
    expect(comparisonOf([tested(sgd, "a"), tested(sam, "a")]).pairs).toHaveLength(1);
  });

  it("compares losses where there are no accuracies, and less is better", () => {
    const groups = scored({ sgd: [0.7, 0.8, 0.9], sam: [0.711, 0.812, 0.913] }).map((group) => ({
      ...group,
      runs: group.runs.map((run) => {
        const result = run.record.result!;
        return { ...run, record: { ...run.record, result: { ...result, test: { loss: result.test!.loss } } } };
      }),
    }));
    expect(findings(groups)).toEqual([
      "SAM − SGD (3 pairs): test loss −0.012 ± 0.002 (p = 0.002), generalization gap +0.021 ± 0.002 (p < 0.001)",
    ]);
    expect([...winnersOf(groups, comparisonOf(groups))].map(({ label }) => label)).toEqual(["SAM"]);
    expect(resultsTable(groups).head).not.toContain("test accuracy, %");
  });
});

describe("tables", () => {
  it.each([[[1]], [[1, 2]], [[1, 2, 3]]])("never say NaN, with seeds %s", (seeds) => {
    const groups = groupsIn(fakeRuns(["sgd", "sam"], seeds)).map((group) => ({
      ...group,
      // A loss that is not a number is none.
      runs: group.runs.map((run) => ({
        ...run,
        record: { ...run.record, result: { ...run.record.result!, test: { loss: Number.NaN, accuracy: 0.5 } } },
      })),
    }));
    for (const table of [resultsTable(groups), runsTable(groups), pairsTable(comparisonOf(groups))])
      expect(toMarkdown(table) + toCsv(table)).not.toMatch(/NaN|undefined/);
  });

  it("give one seed's value alone", () => {
    const table = resultsTable(groupsIn(fakeRuns(["sgd"], [1])));
    expect(table.rows[0]![2]!.text).toMatch(/^\d\d\.\d\d$/);
    expect(table.note).toMatch(/^One seed, so there is no deviation\./);
  });
});
