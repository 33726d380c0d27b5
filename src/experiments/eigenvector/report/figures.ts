import type { TopLevelSpec } from "vega-lite";
import type { StudyResult } from "../run.ts";
import type { SolverRow } from "../summary.ts";
import { config, type Drawn, HEIGHT, INK, SCHEMA } from "../../../report/figures/figure.ts";
import { summarize } from "../../../util/statistics.ts";

/** Okabe & Ito's, in the registry's order. */
const COLOURS = ["#6b7280", "#0072b2", "#009e73", "#d55e00", "#cc79a7", "#b59f00"];

const PANEL = 300;

/** The paper's solver and ours: four bands on top of each other tell nothing. */
const BANDED = ["power", "free"];

/** Of the axis of ratios: two seeds can have an interval so wide that no point would be told from another. */
const [LEAST, MOST] = [-0.25, 1.04] as const;

const scaleOf = (labels: readonly string[]) => ({
  domain: labels,
  range: labels.map((_, i) => COLOURS[i % COLOURS.length]!),
});

/** Mean Rayleigh ratio of each solver with its interval, a panel per network. */
export function ratioFigure(rows: readonly SolverRow[], networks: readonly string[]): Drawn {
  const solvers = [...new Set(rows.map(({ solver }) => solver))];
  const values = rows
    .filter(({ network }) => networks.includes(network))
    .map(({ network, solver, ratio: { mean, half = 0 } }) => ({
      network,
      solver,
      mean,
      low: Math.max(LEAST, mean - half),
      high: Math.min(MOST, mean + half),
      text: mean.toFixed(2),
    }));
  const y = {
    field: "solver",
    type: "nominal",
    sort: solvers,
    title: null,
    axis: { labelColor: INK, labelFontSize: 13 },
  };
  const x = {
    field: "mean",
    type: "quantitative",
    title: "vᵀH̄v / λ₁(H̄)",
    scale: { domain: [Math.min(0, ...values.map(({ low }) => low)), MOST], nice: false },
  };
  const color = { field: "solver", type: "nominal", scale: scaleOf(solvers), legend: null };
  const spec = {
    $schema: SCHEMA,
    config,
    title: {
      text: "How good v is when it is used",
      subtitle: "1 is the top eigenvector of the Hessian over many batches",
    },
    data: { values },
    facet: {
      column: { field: "network", type: "nominal", sort: networks, title: null, header: { labelFontSize: 13 } },
    },
    spec: {
      width: PANEL,
      height: { step: 40 },
      layer: [
        {
          mark: { type: "rule", strokeWidth: 2 },
          encoding: { x: { ...x, field: "low" }, x2: { field: "high" }, y, color },
        },
        { mark: { type: "point", size: 90, filled: true, opacity: 1 }, encoding: { x, y, color } },
        {
          mark: { type: "text", dy: -13, fontSize: 12, color: INK },
          encoding: { x, y, text: { field: "text", type: "nominal" } },
        },
      ],
    },
  } as unknown as TopLevelSpec;
  return {
    spec,
    caption:
      "The estimate v of the top eigenvector at random moments of training, judged against H̄, the Hessian over many mini-batches: mean over moments and seeds, with the 95 % confidence interval over seeds.",
  };
}

/** The same over the course of training: means over seeds with bands, a panel per network. */
export function ratioOverTraining(results: readonly StudyResult[], networks: readonly string[]): Drawn {
  const solvers = [...new Set(results.map(({ solver }) => solver))];
  const values = networks.flatMap((network) =>
    solvers.flatMap((solver) => {
      const runs = results.filter((run) => run.network === network && run.solver === solver);
      return (runs[0]?.moments ?? []).map((_, i) => {
        const { mean, ci95 = 0 } = summarize(runs.map((run) => run.moments[i]!.ratio));
        const step = summarize(runs.map((run) => run.moments[i]!.step)).mean;
        return { network, solver, step, mean, low: mean - ci95, high: mean + ci95 };
      });
    }),
  );
  const x = { field: "step", type: "quantitative", title: "step", axis: { grid: false } };
  const y = {
    field: "mean",
    type: "quantitative",
    title: null,
    scale: { domain: [Math.min(0, ...values.map(({ mean }) => mean)), 1], nice: false },
  };
  const coloured = values.map((value) => ({ ...value, colour: scaleOf(solvers).range[solvers.indexOf(value.solver)] }));
  const color = {
    field: "solver",
    type: "nominal",
    sort: solvers,
    scale: scaleOf(solvers),
    legend: { title: null, labelFontSize: 13, columns: 3 },
  };
  // Fills carry their colour in the data: with a scale of their own they would take the legend of the lines away.
  const fill = { field: "colour", type: "nominal", scale: null, legend: null };
  const detail = { field: "solver" };
  const spec = {
    $schema: SCHEMA,
    config,
    title: { text: "The quality of v over training", subtitle: "vᵀH̄v / λ₁(H̄) at the moment of use" },
    data: { values: coloured },
    facet: {
      column: { field: "network", type: "nominal", sort: networks, title: null, header: { labelFontSize: 13 } },
    },
    resolve: { scale: { x: "independent" } },
    spec: {
      width: PANEL,
      height: HEIGHT,
      layer: [
        {
          transform: [{ filter: { field: "solver", oneOf: BANDED } }],
          mark: { type: "area", opacity: 0.15, clip: true, strokeWidth: 0 },
          encoding: { x, y: { ...y, field: "low" }, y2: { field: "high" }, fill, detail },
        },
        { mark: { type: "line", strokeWidth: 2 }, encoding: { x, y, stroke: color } },
        { mark: { type: "point", size: 30, strokeWidth: 0, opacity: 1 }, encoding: { x, y, fill } },
      ],
    },
  } as unknown as TopLevelSpec;
  return {
    spec,
    caption:
      "Each point is one of the random moments, averaged over seeds; bands are 95 % confidence intervals, of power and free.",
  };
}
