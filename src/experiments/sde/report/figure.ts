import { axisOf } from "../../../report/figures/axis.ts";
import { averaged, bandChart, linesOf, type LineStyle } from "../../../report/figures/band-chart.ts";
import { bandNote } from "../../../report/figures/band-note.ts";
import { config, type Drawn, specOf } from "../../../report/figures/figure.ts";
import type { ProcessName } from "../processes.ts";
import { type Comparison, comparison } from "./distance.ts";
import { quantities, type Quantity, type QuantityInfo, quantityNames, type SdeRun, titleOf } from "./read.ts";
import { significant } from "./table.ts";

/** How each process is drawn, in Okabe & Ito's colours; one that is not here is in the table alone. */
const styles: Partial<Readonly<Record<ProcessName, LineStyle>>> = {
  discrete: { colour: "#111827", dash: [1, 0] },
  second: { colour: "#e69f00", dash: [6, 3] },
  third: { colour: "#0072b2", dash: [1, 0] },
  sgd: { colour: "#9ca3af", dash: [2, 2] },
};

/** What a panel says about its distances, in the order of the legend. */
const SHORT: Partial<Readonly<Record<ProcessName, string>>> = { second: "2nd", third: "3rd", sgd: "SGD" };

const PANEL = { width: 300, height: 170 };
const COLUMNS = 3;

/** Six panels over training steps for runs of one radius: each process a line, with a band over its seeds. */
export function sdeFigure(runs: readonly SdeRun[]): Drawn {
  const { rho, method, paths } = runs[0]!;
  const drawn = paths.filter((name): name is ProcessName => name in styles);
  const all = comparison(runs);
  const panels = quantityNames.map((quantity) => panel(runs, drawn, quantity, all));
  const note = bandNote(panels.flatMap(({ points }) => points));
  const spec = specOf({
    config: { ...config, legend: { ...config.legend, offset: 14 }, title: { ...config.title, frame: "group" } },
    bounds: "flush",
    spacing: { row: 104, column: 62 },
    title: {
      text: `Discrete ${method} and its stochastic differential equations, ρ = ${rho}`,
      subtitle: [
        `below each title: distance to discrete ${method}, and which order is closer where an interval tells; some axes are logarithmic`,
        note,
      ],
      offset: 24,
    },
    columns: COLUMNS,
    concat: panels.map(({ plot }) => plot),
    resolve: { scale: { stroke: "shared", strokeDash: "shared" }, legend: { stroke: "shared", strokeDash: "shared" } },
  });
  const cut = panels.filter(({ axis }) => axis.outside.length > 0).map(({ title }) => title);
  const bulk = cut.length === 0 ? "" : ` Axes show the bulk; not all points of ${cut.join(", ")} are inside.`;
  return { spec, caption: `Six quantities over training steps at ρ = ${rho}; ${note}.${bulk}` };
}

function panel(runs: readonly SdeRun[], drawn: readonly ProcessName[], quantity: Quantity, all: Comparison) {
  const { title, percent = false }: QuantityInfo = quantities[quantity];
  const { log, means } = averaged(
    drawn.map((name) => runs.map((run) => run.curve(name, quantity))),
    percent,
  );
  const series = drawn.map((name, i) => ({
    label: titleOf(name, runs[0]!.method),
    ...styles[name]!,
    ...means[i]!,
  }));
  const points = means.flatMap((line) => line.points);
  const axis = axisOf(linesOf(means), log, { within: [0, percent ? 1 : Number.POSITIVE_INFINITY] });
  const own = all.distances.filter((d) => d.quantity === quantity && SHORT[d.process]);
  const closer = all.advantages.find((a) => a.quantity === quantity)?.closer;
  const unit = percent && own.length > 0 ? " points" : "";
  const subtitle =
    own.map((d) => `${SHORT[d.process]} ${significant((percent ? 100 : 1) * Math.max(0, d.distance))}`).join(" · ") +
    unit +
    (closer ? ` · ${SHORT[closer]} closer` : "");
  const plot = {
    ...PANEL,
    // A title without a second line would stand lower than those beside it.
    title: { text: title, subtitle: subtitle || " ", fontSize: 13, subtitleFontSize: 11, offset: 8 },
    ...bandChart(series, axis, { x: "step", percent, width: COLUMNS * PANEL.width }),
  };
  return { title, axis, points, plot };
}
