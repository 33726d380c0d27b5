import type { CurvatureResult, LayerCurvature } from "../../curvature/result.ts";
import { type Drawn, INK, literal, specOf, TEXT } from "../figures/figure.ts";
import { colourOf, extent, titled, labels } from "./frame.ts";
import { number } from "./numbers.ts";

interface Bar {
  readonly value: number;
  /** Standard error. */
  readonly stderr?: number;
}

/** Width of a panel without its numbers. */
const WIDTH = 170;

/** Rows are closer where there are many. */
const FEW = 20;

/** Diagonal blocks of the Hessian, one row per layer in the order of the network; null where they were not measured. */
export function layers(result: CurvatureResult): Drawn | null {
  const blocks = result.layers ?? [];
  if (blocks.length === 0) return null;
  const eigenvalues = blocks.map(({ eigenvalue }) => ({ value: eigenvalue }));
  const traces = blocks.map(tracePerParameter);
  const names = blocks.map(({ name }) => short(name));
  const spec = specOf({
    ...titled(result, "Curvature by layer", "diagonal blocks of the Hessian, in the order of the network"),
    spacing: 24,
    hconcat: [panel("top eigenvalue", eigenvalues, names), panel("trace per parameter", traces)],
  });
  const whiskers = traces.some(({ stderr }) => stderr! > 0) ? "; whiskers are standard errors over random probes" : "";
  const doubtful = blocks.filter(({ converged }) => !converged).length;
  const doubt = doubtful === 0 ? "" : `; ${doubtful} of the eigenvalues left have not converged, see their residuals`;
  return {
    spec,
    caption: `Each layer's own block of the Hessian: its largest eigenvalue (left), and the mean of its eigenvalues (right), negative ones in orange${whiskers}${doubt}.`,
  };
}

const tracePerParameter = ({ parameters, trace }: LayerCurvature): Bar => ({
  value: trace.mean / parameters,
  stderr: trace.stderr / parameters,
});

/** Longest name, in characters. */
const LONG = 34;

/** A long name without its middle: layers differ at the ends of their names. */
const short = (name: string): string =>
  name.length <= LONG ? name : `${name.slice(0, LONG / 2)}…${name.slice(1 - LONG / 2)}`;

/** One of the two panels; layers are rows, named in the first. */
function panel(title: string, all: readonly Bar[], names?: readonly string[]): object {
  const bars = all
    .map((bar, row) => ({ ...bar, row, text: number(bar.value), colour: colourOf(bar.value) }))
    .filter(({ value }) => Number.isFinite(value));
  const whiskers = bars.flatMap(({ row, value, stderr }) =>
    stderr! > 0 ? [{ row, value: value - stderr!, to: value + stderr! }] : [],
  );
  const longest = 1.5 * Math.max(...bars.map(({ value }) => Math.abs(value)));
  const reach = whiskers.flatMap(({ value, to }) => [Math.max(value, -longest), Math.min(to, longest)]);
  const many = all.length > FEW;
  const labelExpr = `(${JSON.stringify(names)})[datum.value]`;
  const y = {
    field: "row",
    type: "ordinal",
    scale: { domain: all.map((_, row) => row) },
    title: null,
    axis: names
      ? { labelExpr, labelColor: INK, labelPadding: 8, labelLimit: 0, labelFontSize: many ? 10.5 : TEXT }
      : null,
  };
  const domain = extent([0, ...bars.map(({ value }) => value), ...reach], 0.02);
  const x = {
    field: "value",
    type: "quantitative",
    title,
    scale: { domain, nice: false },
    axis: { ...labels(domain), tickCount: 3, orient: "top" },
  };
  const width = Math.max(0, ...bars.map(({ text }) => text.length));
  return {
    width: WIDTH,
    height: { step: many ? 15 : 22 },
    layer: [
      {
        data: { values: bars },
        mark: { type: "bar", height: many ? 9 : 13, clip: true },
        encoding: { x, y, color: literal("colour") },
      },
      { data: { values: [{}] }, mark: { type: "rule", color: "#9ca3af" }, encoding: { x: { datum: 0 } } },
      {
        data: { values: whiskers },
        mark: { type: "rule", strokeWidth: 1.25, color: INK, clip: true },
        encoding: { x, x2: { field: "to" }, y },
      },
      {
        data: { values: bars },
        mark: { type: "text", align: "right", baseline: "middle", fontSize: many ? 10.5 : TEXT, color: INK },
        encoding: { x: { value: WIDTH + 10 + (many ? 6.6 : 8.2) * width }, y, text: literal("text") },
      },
    ],
  };
}
