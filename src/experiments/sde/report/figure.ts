import type { TopLevelSpec } from "vega-lite";
import type { ProcessName } from "../processes.ts";
import { band, geometricBand, type Interval, intervalOf } from "../../../report/curves.ts";
import { type Distance, distances } from "./distance.ts";
import { quantities, type Quantity, quantityNames, type SdeRun, titleOf } from "./read.ts";
import { significant } from "./table.ts";
import { axisOf, spansWide } from "../../../report/figures/axis.ts";
import { bandNote } from "../../../report/figures/band-note.ts";
import { config, type Drawn, SCHEMA } from "../../../report/figures/figure.ts";

/** How each process is drawn; one that is not here is in the table alone. Okabe & Ito's colours. */
const styles: Partial<Readonly<Record<ProcessName, { readonly colour: string; readonly dash: readonly number[] }>>> = {
  discrete: { colour: "#111827", dash: [1, 0] },
  second: { colour: "#e69f00", dash: [6, 3] },
  third: { colour: "#0072b2", dash: [1, 0] },
  sgd: { colour: "#9ca3af", dash: [2, 2] },
};

/** What a panel says about its distances, in the order of the legend. */
const SHORT: Partial<Readonly<Record<ProcessName, string>>> = { second: "2nd", third: "3rd", sgd: "SGD" };

const PANEL = { width: 300, height: 170 };
const COLUMNS = 3;

interface Series {
  readonly label: string;
  readonly colour: string;
  readonly points: readonly Interval[];
}

/** Six panels over training steps for runs of one radius: each process a line, with a band over its seeds. */
export function sdeFigure(runs: readonly SdeRun[]): Drawn {
  const { rho, method, processes } = runs[0]!;
  const drawn = processes.filter((name) => styles[name] !== undefined);
  const all = distances(runs);
  const panels = quantityNames.map((quantity) => panel(runs, drawn, quantity, all));
  const labels = drawn.map((name) => titleOf(name, method));
  const spec = {
    $schema: SCHEMA,
    config: { ...config, legend: { ...config.legend, offset: 14 }, title: { ...config.title, frame: "group" } },
    bounds: "flush",
    spacing: { row: 104, column: 62 },
    title: {
      text: `Discrete ${method} and its stochastic differential equations, ρ = ${rho}`,
      subtitle: `below each title: distance to discrete ${method}, mean over time; some axes are logarithmic`,
      offset: 24,
    },
    columns: COLUMNS,
    concat: panels.map(({ spec: own }) => own(labels, drawn)),
    resolve: { scale: { stroke: "shared", strokeDash: "shared" }, legend: { stroke: "shared", strokeDash: "shared" } },
  } as unknown as TopLevelSpec;
  const points = panels.flatMap((p) => p.points);
  return { spec, caption: `Six quantities over training steps at ρ = ${rho}; ${bandNote(points)}.` };
}

function panel(runs: readonly SdeRun[], drawn: readonly ProcessName[], quantity: Quantity, all: readonly Distance[]) {
  const { method } = runs[0]!;
  const info: { readonly title: string; readonly percent?: true } = quantities[quantity];
  const curves = drawn.map((name) => runs.map((run) => run.curve(name, quantity)));
  const values = curves.flat(2).map(({ y }) => y);
  const log = !info.percent && spansWide(values);
  const series = drawn.map((name, i): Series => {
    const points = log ? geometricBand(curves[i]!) : band(curves[i]!).map(intervalOf);
    return { label: titleOf(name, method), colour: styles[name]!.colour, points };
  });
  const points = series.flatMap((s) => s.points);
  const axis = axisOf(points, log, { within: [0, info.percent ? 1 : Number.POSITIVE_INFINITY] });
  const own = all.filter((d) => d.quantity === quantity && SHORT[d.process]);
  const unit = info.percent && own.length > 0 ? " points" : "";
  const note =
    own.map((d) => `${SHORT[d.process]} ${significant((info.percent ? 100 : 1) * d.distance)}`).join(" · ") + unit;
  const scale = log
    ? { type: "log", domain: axis.domain, nice: false }
    : { type: "linear", domain: axis.domain, nice: false, zero: false };
  const labels = {
    ...(axis.ticks ? { values: axis.ticks, format: "~g" } : {}),
    ...(info.percent ? { format: ".0%" } : {}),
  };
  const y = { field: "y", type: "quantitative", title: null, scale, axis: labels };
  const x = {
    field: "x",
    type: "quantitative",
    title: "step",
    scale: { nice: false, zero: false },
    axis: { grid: false, tickMinStep: 1, tickCount: 4, format: ",d" },
  };
  const spec = (names: readonly string[], processes: readonly ProcessName[]) => {
    const by = (range: readonly unknown[]) => ({
      field: "label",
      type: "nominal",
      sort: names,
      scale: { domain: names, range },
      legend: { orient: "top", columns: names.length },
    });
    const stroke = by(processes.map((name) => styles[name]!.colour));
    const strokeDash = by(processes.map((name) => styles[name]!.dash));
    const fill = { field: "colour", type: "nominal", scale: null, legend: null };
    return {
      ...PANEL,
      title: { text: info.title, subtitle: note, fontSize: 13, subtitleFontSize: 11, offset: 8 },
      data: {
        values: series.flatMap(({ label, colour, points: line }) =>
          line.map(({ x: step, y: value, low, high }) => ({ label, colour, x: step, y: value, low, high })),
        ),
      },
      layer: [
        {
          mark: { type: "area", strokeWidth: 0, opacity: 0.16, clip: true },
          encoding: { x, y: { ...y, field: "low" }, y2: { field: "high" }, fill, detail: { field: "label" } },
        },
        {
          mark: { type: "line", strokeWidth: 1.8, strokeJoin: "round", clip: true },
          encoding: { x, y, stroke, strokeDash },
        },
      ],
    };
  };
  return { points, spec };
}
