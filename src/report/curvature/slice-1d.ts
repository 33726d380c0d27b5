import type { CurvatureResult, LossSlice } from "../../curvature/result.ts";
import { type Drawn, HEIGHT, INK, onePanel } from "../figures/figure.ts";
import { directionOf } from "./directions.ts";
import { across, extent, lineAtZero, NEGATIVE, POSITIVE, titled, upwards } from "./frame.ts";
import { number } from "./numbers.ts";

/** Number of points of the dashed line. */
const FINE = 201;

/** Room above and below the curve, as a fraction of its height. */
const MARGIN = 0.06;

/** Measured points are marked where there are few. */
const FEW = 60;

/** f(θ + a·d) ≈ f + a·dᵀ∇f + ½·a²·dᵀHd, to second order (Taylor). */
export const quadraticModel =
  (f: number, slope: number, curvature: number) =>
  (a: number): number =>
    f + slope * a + 0.5 * curvature * a ** 2;

/** The loss along one direction through θ, with its quadratic model at θ; null for a plane and where nothing is finite. */
export function slice1d(result: CurvatureResult, slice: LossSlice): Drawn | null {
  const { directions, coordinates, loss } = slice;
  const points = coordinates.map((x, i) => ({ x, y: loss[i]!, line: "loss" })).filter(({ y }) => Number.isFinite(y));
  if (directions.length !== 1 || points.length < 2) return null;
  const direction = directionOf(directions[0]!);
  const { log, domain } = verticalOf(points.map(({ y }) => y));
  const here = points.find(({ x }) => x === 0)?.y ?? result.loss;
  const model = modelPoints(slice, here, domain);
  const lines = model.length > 0 ? ["loss", "quadratic model at θ"] : ["loss"];
  const byLine = (range: readonly unknown[]) => ({
    field: "line",
    type: "nominal",
    scale: { domain: lines, range: range.slice(0, lines.length) },
    ...(lines.length > 1 ? {} : { legend: null }),
  });
  const colour = byLine([POSITIVE, NEGATIVE]);
  const x = across(coordinates, `a, at θ + a·${direction.symbol}`);
  const y = upwards(log, domain);
  const spec = onePanel({
    ...titled(result, `Loss along ${direction.text}`, log ? "logarithmic" : undefined),
    height: HEIGHT,
    layer: [
      lineAtZero(x),
      {
        data: { values: [...points, ...model] },
        mark: { type: "line", strokeWidth: 2, strokeJoin: "round", clip: true },
        encoding: {
          x,
          y,
          stroke: colour,
          strokeDash: byLine([
            [1, 0],
            [6, 4],
          ]),
        },
      },
      ...(points.length <= FEW
        ? [
            {
              data: { values: points },
              mark: { type: "point", size: 22, opacity: 1, strokeWidth: 0, fill: POSITIVE },
              encoding: { x, y },
            },
          ]
        : []),
      {
        data: { values: [{ x: 0, y: here }] },
        mark: { type: "point", size: 90, opacity: 1, fill: "white", stroke: INK, strokeWidth: 1.75 },
        encoding: { x, y },
      },
    ],
  });
  const unit = directions[0] === "random" ? ", each filter scaled to the norm of the same filter of θ" : "";
  const blank = points.length < loss.length ? "; it is not finite where there is no point" : "";
  return {
    spec,
    caption: `The loss around θ (circle) along ${direction.text}${unit}${modelNote(slice, model.length > 0)}${blank}.`,
  };
}

/** Beyond this ratio of the largest loss to the smallest, the axis is logarithmic. */
const WIDE = 100;

function verticalOf(losses: readonly number[]): { readonly log: boolean; readonly domain: readonly [number, number] } {
  const least = Math.min(...losses);
  if (!(least > 0 && Math.max(...losses) > WIDE * least)) return { log: false, domain: extent(losses, MARGIN) };
  const [low, high] = extent(losses.map(Math.log), MARGIN);
  return { log: true, domain: [Math.exp(low), Math.exp(high)] };
}

/** The dashed line inside the plot, and one point beyond each edge, where it is cut. */
function modelPoints(
  { slope: [slope], curvature: [curvature], coordinates }: LossSlice,
  here: number,
  [low, high]: readonly [number, number],
) {
  if (!Number.isFinite(slope) || !Number.isFinite(curvature)) return [];
  const value = quadraticModel(here, slope!, curvature!);
  const [from, to] = [Math.min(...coordinates), Math.max(...coordinates)];
  const all = Array.from({ length: FINE }, (_, i) => from + ((to - from) * i) / (FINE - 1)).map((x) => ({
    x,
    // On a logarithmic axis as well, this lies outside.
    y: low > 0 ? Math.max(low / 2, value(x)) : value(x),
    line: "quadratic model at θ",
  }));
  const inside = all.map(({ y }) => y >= low && y <= high);
  return all.filter((_, i) => inside[i] || inside[i - 1] || inside[i + 1]);
}

const modelNote = ({ slope, curvature }: LossSlice, drawn: boolean): string =>
  drawn
    ? `; dashed: the parabola with the slope ${number(slope[0]!)} and the curvature ${number(curvature[0]!)} at θ`
    : "";
