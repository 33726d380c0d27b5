import type { CurvatureResult, LossSlice } from "../../curvature/result.ts";
import { logTicks } from "../figures/axis.ts";
import { type Drawn, specOf } from "../figures/figure.ts";
import { contourLines } from "./contours.ts";
import { planeOf } from "./directions.ts";
import { titled, labels } from "./frame.ts";

/** Side of the plot, as nearly as cells of whole pixels allow: cells of other sizes would show seams. */
const SIDE = 300;

/** Beyond this ratio of the largest loss to the smallest, colours are logarithmic. */
const WIDE = 10;

/** The loss in a plane through θ as colours and contour lines; null for one direction and where nothing is finite. */
export function slice2d(result: CurvatureResult, slice: LossSlice): Drawn | null {
  const { directions, coordinates, loss } = slice;
  const finite = loss.filter(Number.isFinite);
  if (directions.length !== 2 || coordinates.length < 2 || finite.length === 0) return null;
  const [first, second] = planeOf(directions);
  const [least, most] = [Math.min(...finite), Math.max(...finite)];
  const log = least > 0 && most > WIDE * least;
  const levels = levelsOf(least, most, log);
  const between = coordinates.length - 1;
  const side = between * Math.max(1, Math.round(SIDE / between));
  const edges = edgesOf(coordinates);
  const scale = { domain: [coordinates[0]!, coordinates.at(-1)!] as const, nice: false, zero: false };
  const axis = (of: string) => ({
    type: "quantitative",
    scale,
    axis: { grid: false, labelFlush: false, ...labels(scale.domain), title: of, domain: false },
  });
  const x = { field: "x", ...axis(`a, at θ + a·${first.symbol} + b·${second.symbol}`) };
  const y = { field: "y", ...axis("b") };
  const colour = {
    field: "loss",
    type: "quantitative",
    scale: {
      type: log ? "log" : "linear",
      domain: [least, most > least ? most : least + 1],
      scheme: "viridis",
      nice: false,
    },
    legend: {
      orient: "right",
      type: "gradient",
      gradientLength: side,
      gradientThickness: 14,
      values: levels.length > 0 ? levels : [least],
      labelExpr: "format(datum.value, '~g')",
      offset: 14,
    },
  };
  const spec = specOf({
    ...titled(
      result,
      `Loss in the plane of ${first.symbol} and ${second.symbol}`,
      log ? "colours are logarithmic" : undefined,
    ),
    width: side,
    height: side,
    layer: [
      {
        data: { values: cells(slice, edges) },
        mark: { type: "rect", strokeWidth: 0, aria: false },
        encoding: { x, x2: { field: "x2" }, y, y2: { field: "y2" }, color: colour },
      },
      {
        data: { values: linesAt(slice, levels, log) },
        mark: { type: "line", color: "white", strokeWidth: 1.1, opacity: 0.8, clip: true, aria: false },
        encoding: { x, y, detail: { field: "line" }, order: { field: "nth" } },
      },
      ...[
        { strokeWidth: 5, stroke: "white" },
        { strokeWidth: 2.25, stroke: "#111827" },
      ].map((line) => ({
        data: { values: [{ x: 0, y: 0 }] },
        mark: {
          type: "point",
          shape: "M-1,-1L1,1M-1,1L1,-1",
          size: 130,
          opacity: 1,
          strokeCap: "round",
          clip: true,
          ...line,
        },
        encoding: { x, y },
      })),
    ],
  });
  const lines = levels.length > 0 ? "; contour lines at the values beside the colour bar" : "";
  const blank = finite.length < loss.length ? "; blank where it is not finite" : "";
  return {
    spec,
    caption: `The loss around θ (cross) in the plane of ${first.text} and ${second.text}${lines}${blank}.`,
  };
}

/** A few round values strictly between. */
function levelsOf(least: number, most: number, log: boolean): number[] {
  if (!(most > least)) return [];
  if (log) return logTicks([least, most]).filter((level) => level > least && level < most);
  const rough = (most - least) / 10;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough)!;
  const from = Math.floor(least / step) + 1;
  const count = Math.ceil(most / step) - from;
  // Through a decimal, so that 0.1 + 0.2 has one digit.
  return Array.from({ length: count }, (_, i) => Number(((from + i) * step).toPrecision(12)));
}

/** Half way between coordinates, from the first to the last. */
function edgesOf(coordinates: readonly number[]): number[] {
  const middles = coordinates.slice(1).map((c, i) => (c + coordinates[i]!) / 2);
  return [coordinates[0]!, ...middles, coordinates.at(-1)!];
}

const cells = ({ coordinates, loss }: LossSlice, edges: readonly number[]) =>
  coordinates.flatMap((_, i) =>
    coordinates.flatMap((__, j) => {
      const value = loss[i * coordinates.length + j]!;
      if (!Number.isFinite(value)) return [];
      return [{ x: edges[j]!, x2: edges[j + 1]!, y: edges[i]!, y2: edges[i + 1]!, loss: value }];
    }),
  );

function linesAt({ coordinates, loss }: LossSlice, levels: readonly number[], log: boolean) {
  const to = log ? Math.log : (x: number) => x;
  const values = loss.map(to);
  const at = (u: number) => {
    const k = Math.min(Math.floor(u), coordinates.length - 2);
    return coordinates[k]! + (u - k) * (coordinates[k + 1]! - coordinates[k]!);
  };
  return levels
    .flatMap((level) => contourLines(values, coordinates.length, to(level)))
    .flatMap((line, id) => line.map(([column, row], nth) => ({ line: id, nth, x: at(column), y: at(row) })));
}
