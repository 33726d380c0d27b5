import type { StudyResult } from "../result.ts";
import type { SolverRow } from "./summary.ts";
import { intervalOf } from "../../../report/curves.ts";
import { bandChart, FEW_SEEDS, type Series } from "../../../report/figures/band-chart.ts";
import { endLabels } from "../../../report/figures/end-labels.ts";
import { type Drawn, HEIGHT, INK, specOf, TEXT } from "../../../report/figures/figure.ts";
import { summarize } from "../../../util/statistics.ts";

/** Okabe & Ito's colours, in the order of the registry, and two more for the rates of `free`. */
const COLOURS = ["#6b7280", "#0072b2", "#009e73", "#d55e00", "#cc79a7", "#b59f00", "#e69f00", "#56b4e9"];

const PANEL = 300;

/** Solvers with a band, the paper's and ours: four bands on top of each other would show nothing. */
const BANDED = ["power", "free"];

/** Ends of the axis of ratios: two seeds can have an interval so wide that all points would look alike. */
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
    .map(({ network, solver, ratio: { n, mean, ci95 = 0 } }) => ({
      network,
      n,
      solver,
      mean,
      low: n > FEW_SEEDS ? Math.max(LEAST, mean - ci95) : mean,
      high: n > FEW_SEEDS ? Math.min(MOST, mean + ci95) : mean,
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
  const spec = specOf({
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
          mark: { type: "text", dy: -13, fontSize: TEXT, color: INK },
          encoding: { x, y, text: { field: "text", type: "nominal" } },
        },
      ],
    },
  });
  const spread = values.some(({ n }) => n > FEW_SEEDS)
    ? "with the 95 % confidence interval over seeds"
    : `over ${values[0]?.n === 1 ? "one seed" : `${values[0]?.n ?? 0} seeds, too few for an interval`}`;
  return {
    spec,
    caption: `The estimate v of the top eigenvector at random moments of training, compared with H̄, the Hessian over many mini-batches: mean over moments and seeds, ${spread}.`,
  };
}

/** The same over the course of training: means over seeds with bands, a panel per network. */
export function ratioOverTraining(results: readonly StudyResult[], networks: readonly string[]): Drawn {
  const solvers = [...new Set(results.map(({ solver }) => solver))];
  const { range } = scaleOf(solvers);
  const few = new Set(results.map(({ seed }) => seed)).size <= FEW_SEEDS;
  const seriesOf = (network: string): Series[] =>
    solvers.map((label, i) => {
      const runs = results.filter((run) => run.network === network && run.solver === label);
      const banded = BANDED.includes(label);
      const points = (runs[0]?.moments ?? []).map((_, moment) => {
        const ratio = summarize(runs.map(({ moments }) => moments[moment]!.ratio));
        const x = summarize(runs.map(({ moments }) => moments[moment]!.step)).mean;
        return intervalOf({ x, ...ratio, ...(banded && !few ? {} : { ci95: undefined }) });
      });
      const seeds =
        banded && few ? runs.map(({ moments }) => moments.map(({ step, ratio }) => ({ x: step, y: ratio }))) : [];
      return { label, colour: range[i]!, dash: [1, 0], points, seeds };
    });
  const panels = networks.map(seriesOf);
  const least = Math.min(0, ...panels.flat().flatMap(({ points }) => points.map(({ y }) => y)));
  const axis = { log: false, domain: [least, 1], cut: false, outside: [] } as const;
  const labelled = panels.map((series) => endLabels(series, axis, HEIGHT));
  // A legend is that of all panels.
  const direct = labelled.every((ends) => ends !== undefined);
  const spec = specOf({
    title: { text: "The quality of v over training", subtitle: "vᵀH̄v / λ₁(H̄) at the moment of use" },
    hconcat: panels.map((series, i) => ({
      width: PANEL,
      height: HEIGHT,
      title: { text: networks[i]!, fontSize: 13, anchor: "middle", offset: 4 },
      ...bandChart(series, axis, { x: "step", width: networks.length * PANEL, ends: direct ? labelled[i] : undefined }),
    })),
    resolve: { scale: { stroke: "shared", strokeDash: "shared" }, legend: { stroke: "shared", strokeDash: "shared" } },
  });
  const spread = few ? "thin lines are the seeds" : "bands are 95 % confidence intervals";
  return {
    spec,
    caption: `Each point is one of the random moments, averaged over seeds; ${spread}, of power and free.`,
  };
}
