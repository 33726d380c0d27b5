import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { writeReports } from "../src/experiments/report.ts";
import type { PathName } from "../src/experiments/sde/processes.ts";
import { comparison } from "../src/experiments/sde/report/distance.ts";
import { type SdeReport, writeSdeReport } from "../src/experiments/sde/report/index.ts";
import { quantities, type Quantity, quantityNames, readSdeRun } from "../src/experiments/sde/report/read.ts";
import { distanceTable } from "../src/experiments/sde/report/table.ts";
import { runFiles } from "../src/run/files.ts";
import { rng } from "../src/util/rng.ts";
import { fakeRun, temporary } from "./support/fake-runs.ts";
import { FAKE_STEPS, fakeSdeRun } from "./support/fake-sde-runs.ts";

const OFF: Partial<Record<PathName, number>> = { second: 0.5, third: 0.1, sgd: 2 };

/** Each path around the same curve: an offset of its own, and noise of the seed. */
const value =
  (seed: number, off = OFF) =>
  (path: PathName, quantity: Quantity, step: number) => {
    const noise = rng(seed, "fake", path, quantity, step).normal();
    return step === 0 ? 4 : 3 + (off[path] ?? 0) * (step / 40) + 0.02 * noise;
  };

const seeds = [1, 2, 3, 4, 5, 6, 7, 8];
const folder = temporary();
let report: SdeReport;
beforeAll(async () => {
  const runs = [0.1, 0.2].flatMap((rho) =>
    seeds.map((seed) => fakeSdeRun(join(folder, "runs", `rho${rho}-seed${seed}`), { seed, rho, value: value(seed) })),
  );
  report = await writeSdeReport(runs, join(folder, "report"));
});

const found = (process: string, quantity: Quantity = "norm", rho = 0.1) =>
  report.distances.find((own) => own.process === process && own.quantity === quantity && own.rho === rho)!;

/** The offset grows to its whole size; the first measurement does not count. */
const rms = (offset: number) => offset * Math.sqrt((0.25 ** 2 + 0.5 ** 2 + 0.75 ** 2 + 1) / 4);

it("is the same whatever order the runs are found in", async () => {
  const turned = seeds.toReversed().map((seed) => join(folder, "runs", `rho0.1-seed${seed}`));
  const [one, other] = [turned.toReversed(), turned].map((runs, i) => writeSdeReport(runs, join(folder, `order${i}`)));
  expect((await other!).distances).toEqual((await one!).distances);
});

describe("the distances to the discrete method", () => {
  it("are roots of the mean square over time, in every panel, with an interval that holds them", () => {
    let held = 0;
    for (const quantity of quantityNames)
      for (const [process, offset] of [
        ["second", 0.5],
        ["third", 0.1],
        ["sgd", 2],
      ] as const) {
        const { distance, interval, seeds: n, references } = found(process, quantity);
        expect(distance).toBeCloseTo(rms(offset), 1);
        expect(interval![1] - interval![0]).toBeLessThan(0.1);
        held += Number(interval![0] < rms(offset) && interval![1] > rms(offset));
        expect([n, references]).toEqual([8, 3]);
      }
    // 95 % of 18 intervals: 14 or more but for one in five hundred.
    expect(held).toBeGreaterThanOrEqual(14);
  });

  it("are relative to the root mean square of the method's own mean, and have a sign as bias", () => {
    expect(found("second").relative).toBeCloseTo(rms(0.5) / 3, 2);
    expect(found("second").bias).toBeCloseTo(0.5 * 0.625, 1);
    expect(found("second").biasCi95).toBeLessThan(0.02);
  });

  it("are no more than chance for what runs the method again: over all pairs of its paths", () => {
    const { distance, interval, references } = found("repeat");
    expect(references).toBe(3);
    expect(Math.abs(distance)).toBeLessThan(0.02);
    expect(interval![0]).toBeLessThan(0);
  });

  it("take the mean of all its paths for the reference", () => {
    const exactly = (path: PathName) => ({ discrete: 1, repeat: 2, repeat2: 6, second: 5 })[path as "discrete"] ?? 0;
    const run = fakeSdeRun(join(temporary(), "a"), { value: exactly });
    const { distances } = comparison([readSdeRun(run)]);
    const at = (process: string) => distances.find((own) => own.process === process && own.quantity === "norm")!;
    // (1 + 2 + 6)/3 = 3; pairs differ by 1, 5 and 4; one seed has no interval.
    expect(at("second")).toMatchObject({ distance: 2, interval: undefined, references: 3, seeds: 1 });
    expect(at("third").distance).toBe(3);
    expect(at("repeat").distance).toBeCloseTo(Math.sqrt((1 + 25 + 16) / 3), 12);
  });

  it("compare seeds in pairs: what both orders share does not widen their difference", () => {
    const shared = (seed: number) => (path: PathName) => {
      const noise = 0.2 * rng(seed, "shared").normal();
      const own = 0.01 * rng(seed, path).normal();
      return { second: 1 + noise + own, third: 0.9 + noise + own }[path as "second"] ?? 0;
    };
    const runs = seeds.map((seed) => readSdeRun(fakeSdeRun(join(temporary(), "a"), { seed, value: shared(seed) })));
    const { distances, advantages } = comparison(runs);
    const { interval, difference, closer } = advantages.find(({ quantity }) => quantity === "norm")!;
    const [low, high] = distances.find(({ process }) => process === "second")!.interval!;
    expect(high - low).toBeGreaterThan(0.15);
    expect(interval![1] - interval![0]).toBeLessThan(0.05);
    expect(difference).toBeCloseTo(0.1, 1);
    expect(closer).toBe("third");
  });
});

describe("what is marked", () => {
  it("is the closer order where the interval of the difference excludes zero, in tables, figures and findings", () => {
    expect(report.advantages).toHaveLength(2 * 6);
    for (const { closer, difference, interval } of report.advantages) {
      expect(closer).toBe("third");
      expect(difference).toBeCloseTo(rms(0.4), 1);
      expect(interval![0]).toBeGreaterThan(0);
    }
    expect(report.findings).toHaveLength(12);
    expect(report.findings[0]).toMatch(
      /^ρ = 0.1, training loss: the third order is closer to discrete SAM, by 0\.2\d* to 0\.\d+$/,
    );
    const table = readFileSync(report.tables.find((path) => path.endsWith("sde-distances.md"))!, "utf8");
    expect(table.match(/third-order SDE( \| \*\*0\.0\d+ [^*|]*\*\*){6}/g)).toHaveLength(2);
    expect(table).not.toMatch(/second-order SDE.*\*\*/);
    const svg = readFileSync(report.figures.find((path) => path.endsWith("sde-rho0.1.svg"))!, "utf8");
    expect(svg.match(/>2nd [\d.]+ · 3rd [\d.]+ · SGD [\d.]+( points)? · 3rd closer</g)).toHaveLength(6);
    for (const name of quantityNames) expect(svg).toContain(`>${quantities[name].title}</text>`);
    for (const label of ["discrete SAM", "second-order SDE", "third-order SDE", "SGD SDE"])
      expect(svg).toContain(`>${label}</text>`);
  });

  it("is nothing where both are as far, on either side", () => {
    // The orders mirror each other in the method, whose noise they share.
    const mirrored = (seed: number) => (path: PathName, _: Quantity, step: number) => {
      const off = step / 40 + rng(seed, step).normal();
      return { second: 3 + off, third: 3 - off }[path as "second"] ?? 3;
    };
    expect(marksOf(seeds, mirrored)).toEqual({ closer: [], bold: 0, note: expect.stringContaining("Brackets: 95 %") });
  });

  it("is nothing for four seeds, and the note says so", () => {
    const note = expect.stringContaining("There are no intervals and no marks: they take 5 seeds at least.");
    expect(marksOf(seeds.slice(0, 4), value)).toEqual({ closer: [], bold: 0, note });
  });
});

/** What the comparison of one radius marks: orders, and cells of the table. */
function marksOf(own: readonly number[], of: (seed: number) => Parameters<typeof fakeSdeRun>[1]["value"]) {
  const runs = own.map((seed) => readSdeRun(fakeSdeRun(join(temporary(), "a"), { seed, value: of(seed) })));
  const compared = comparison(runs);
  const { rows, note } = distanceTable(compared, { name: "a", to: "SAM", method: "SAM", note: "" });
  const closer = compared.advantages.flatMap((each) => each.closer ?? []);
  return { closer, bold: rows.flat().filter(({ bold }) => bold).length, note };
}

describe("the page", () => {
  it("says what was run, and how many paths the chance is of", () => {
    const page = readFileSync(report.html, "utf8");
    for (const text of [
      "<dt>seeds</dt><dd>1, 2, 3, 4, 5, 6, 7, 8</dd>",
      "<dt>data</dt><dd>fashion-mini, raw inputs</dd>",
      "<dt>network</dt><dd>mlp of width 32, tanh</dd>",
      "<dt>paths of the method from each start</dt><dd>3</dd>",
      "Distance to discrete SAM</h2>",
      "Second order less third, to discrete SAM</h2>",
      "Error of the drift</h2>",
      "The reference is the mean of 3 paths of SAM from each start",
      "is over all 3 pairs of them",
    ])
      expect(page).toContain(text);
    expect(page.match(/<svg/g)).toHaveLength(2);
  });

  it("leaves a run out that is not complete, and names it", async () => {
    const out = temporary();
    const runs = [1, 2].map((seed) => fakeSdeRun(join(out, `${seed}`), { seed, value: value(seed) }));
    const stopped = fakeSdeRun(join(out, "3"), { seed: 3, status: "stopped", value: value(3) });
    const [written] = await writeReports([...runs, stopped], join(out, "report"));
    expect(written!.html).toBe(join(out, "report", "report.html"));
    const page = readFileSync(written!.html, "utf8");
    expect(page).toContain("<dt>seeds</dt><dd>1, 2</dd>");
    expect(page).toContain(`${stopped} is not complete (stopped at step 10)<`);
  });

  it("reads runs of earlier versions, which repeated the method once", () => {
    const run = fakeSdeRun(join(temporary(), "a"), { value: value(1) });
    const { record } = runFiles(run);
    const old = JSON.parse(readFileSync(record, "utf8"));
    delete old.config.sde.replicates;
    delete old.config.data.inputs;
    old.config.model = { width: 32, depth: 1 };
    writeFileSync(record, JSON.stringify(old));
    expect(readSdeRun(run)).toMatchObject({
      paths: ["discrete", "second", "third", "sgd", "exact", "repeat"],
      data: "fashion-mini, normalized inputs",
      model: "mlp of width 32, tanh",
    });
    expect(
      readSdeRun(run)
        .curve("second", "norm")
        .map(({ x }) => x),
    ).toEqual(FAKE_STEPS);
  });
});

describe("eigensam report", () => {
  it("reports runs of SDEs as those of training, and of a folder with both each", async () => {
    const all = temporary();
    fakeRun(join(all, "train-1"));
    for (const seed of [1, 2]) fakeSdeRun(join(all, `sde-${seed}`), { seed, value: value(seed) });
    fakeSdeRun(join(all, "sde-1 again"), { seed: 1, value: value(1) });
    fakeSdeRun(join(all, "sde-wide"), { settings: ["model.width=64"], value: value(3) });
    const out = temporary();
    const reports = await writeReports([all], out);
    expect(reports.map(({ html }) => html)).toEqual(
      [out, join(out, "sde"), join(out, "sde-2")].map((path) => join(path, "report.html")),
    );
    const [, first, second] = reports.map(({ html }) => readFileSync(html, "utf8"));
    expect(first).toContain("<dt>seeds</dt><dd>1, 2</dd>");
    expect(second).toContain("mlp of width 64, tanh");
  });

  it("says that nothing is measured yet", async () => {
    const run = fakeSdeRun(join(temporary(), "a"), { status: "stopped", value: value(1) });
    writeFileSync(runFiles(run).metrics, "");
    await expect(writeReports([run], temporary())).rejects.toThrow(`${run}: nothing is measured yet`);
  });

  it("says why there is nothing to report", async () => {
    const run = join(temporary(), "a");
    fakeSdeRun(run, { value: value(1) });
    const { record } = runFiles(run);
    writeFileSync(record, readFileSync(record, "utf8").replace('"sde"', '"other"'));
    await expect(writeReports([run], temporary())).rejects.toThrow(`${run} is a run of kind "other"`);
  });
});
