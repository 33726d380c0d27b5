import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Resvg } from "@resvg/resvg-js";
import { describe, expect, it } from "vitest";
import { sharpnessFigure } from "../src/experiments/eigen-sam/figure.ts";
import { ratioFigure, ratioOverTraining } from "../src/experiments/eigenvector/report/figures.ts";
import { resultOf } from "../src/experiments/eigenvector/result.ts";
import { summarizeStudy } from "../src/experiments/eigenvector/report/summary.ts";
import { type ExperimentName, experimentOf } from "../src/experiments/index.ts";
import { byNoise } from "../src/experiments/label-noise-figure.ts";
import { heatMap } from "../src/experiments/sensitivity-figure.ts";
import type { StudyRecord } from "../src/experiments/study/record.ts";
import { curvatureFigures } from "../src/report/curvature/figures.ts";
import type { Drawn } from "../src/report/figures/figure.ts";
import { figuresOf } from "../src/report/figures/index.ts";
import { linesOfCurves } from "../src/report/figures/lines.ts";
import { findRuns } from "../src/report/find-runs.ts";
import { groupRuns } from "../src/report/groups.ts";
import { svgOf } from "../src/report/render.ts";
import { fakeCurvature } from "./support/fake-curvature.ts";
import { fakeRecord } from "./support/fake-records.ts";
import { fakeRun, fakeRuns, temporary } from "./support/fake-runs.ts";

/** A column of a paper, and the smallest text in it that is easy to read. */
const COLUMN_MM = 84;
const LEAST_POINTS = 6.5;
const MM_PER_POINT = 25.4 / 72;

const fontFile = join(dirname(createRequire(import.meta.url).resolve("dejavu-fonts-ttf/package.json")), "ttf");

/** The points of the smallest text of a drawing that is as wide as a column. */
function smallestPoints(svg: string): number {
  const [, width] = /viewBox="0 0 ([\d.]+) /.exec(svg)!.map(Number);
  const sizes = [...svg.matchAll(/font-size="([\d.]+)px"/g)].map(([, size]) => Number(size));
  expect(sizes.length).toBe(svg.match(/<text/g)!.length);
  return (Math.min(...sizes) * (COLUMN_MM / width!)) / MM_PER_POINT;
}

/** What of the drawing lies outside of it, in its own pixels, on the left and on the right. */
function outside(svg: string): readonly [number, number] {
  const [, width] = /viewBox="0 0 ([\d.]+) /.exec(svg)!.map(Number);
  const files = ["DejaVuSans.ttf", "DejaVuSans-Bold.ttf"].map((file) => join(fontFile, file));
  const font = { fontFiles: files, loadSystemFonts: false, defaultFontFamily: "DejaVu Sans" };
  const box = new Resvg(svg.replace(/<rect [^>]*fill="white"\/>/, ""), { font }).getBBox()!;
  return [Math.max(0, -box.x), Math.max(0, box.x + box.width - width!)];
}

async function recordsOf(name: ExperimentName): Promise<StudyRecord[]> {
  const entry = experimentOf(name);
  if (!("load" in entry)) throw new Error(`${name} has no records`);
  const { experiment } = await entry.load();
  return experiment.plans.laptop!([]).map((run, i) => fakeRecord(run, { testAccuracy: 0.5 + 0.1 * Math.sin(i) }));
}

const runs = groupRuns(findRuns([fakeRuns(["sgd", "sam", "eigen-sam"], [1, 2], { settings: {} })]).runs);

/** Groups with names as long as they can be. */
function longNames() {
  const folder = temporary();
  for (const rho of [0.0512345678, 0.1512345678, 0.2512345678])
    for (const seed of [1, 2])
      fakeRun(join(folder, `${rho}-${seed}`), {
        method: "eigen-sam",
        seed,
        settings: { method: { rho } },
        better: -0.1 * rho,
      });
  return groupRuns(findRuns([folder]).runs);
}

const tall = (label: string, y: number) => ({
  ...{ label, colour: "#0072b2", dash: [1, 0] },
  curves: [[1, 2, 3].map((x) => ({ x: 100_000 * x, y: y * x }))],
});

const [noise, sensitivity, eigenSam, eigenvector] = await Promise.all(
  (["label-noise", "sensitivity", "eigen-sam", "eigenvector"] as const).map(recordsOf),
);
const oneNetwork = (records: readonly StudyRecord[]) =>
  records.filter(({ network }) => network === records[0]!.network);
const results = oneNetwork(eigenvector!).map((record) => ({
  ...resultOf(record),
  moments: resultOf(record).moments.map((moment) => ({ ...moment, ratio: 0.5, subspace: 0.6 })),
}));
const networks = [results[0]!.network];

const cases: (readonly [string, Drawn | null | undefined])[] = [
  ...figuresOf(runs).map(({ name, draw }) => [name, draw(runs)] as const),
  ...figuresOf(longNames()).map(({ name, draw }) => [`${name}, long names`, draw(longNames())] as const),
  ...curvatureFigures(fakeCurvature).figures.map((figure) => [figure.name, figure] as const),
  ...byNoise(noise!).map((figure) => [figure.name, figure] as const),
  ...[0, 0.3].map((part) => [`heat map at ${part}`, heatMap(sensitivity!, part)] as const),
  ["sharpness of one network", sharpnessFigure(oneNetwork(eigenSam!))],
  ["solvers of one network", ratioFigure(summarizeStudy(results, 100), networks)],
  ["solvers of one network over training", ratioOverTraining(results, networks)],
  ...[1e-7, 1e9].map(
    (y) =>
      [
        `lines of ${y}`,
        linesOfCurves([tall("Eigen-SAM (power)", y), tall("SAM", 1.1 * y)], {
          ...{ title: "A title of a metric that a plugin adds", y: "mean cross-entropy after the last epoch" },
          ...{ x: "step", shows: "Lines" },
        }),
      ] as const,
  ),
];

/** Two panels beside each other. */
const WIDER = new Set(["layers"]);
const drawn = cases.flatMap(([name, figure]) => (figure && !WIDER.has(name) ? [[name, figure.spec] as const] : []));

describe("a figure with one panel, in a column of 84 mm,", () => {
  it("is every one that is drawn here", () => {
    expect(drawn.length).toBeGreaterThan(25);
  });

  it.each(drawn)("has text of 6.5 points or more, none cut off: %s", async (name, spec) => {
    const svg = await svgOf(spec, "figure");
    expect(smallestPoints(svg)).toBeGreaterThanOrEqual(LEAST_POINTS);
    expect(outside(svg), name).toEqual([0, 0]);
  });
});

it("the sharpness of arms has a legend, one for all networks", async () => {
  const svg = await svgOf(sharpnessFigure(eigenSam!).spec, "figure");
  for (const { arm } of eigenSam!) expect(svg.split(`>${arm}<`), arm).toHaveLength(2);
});
