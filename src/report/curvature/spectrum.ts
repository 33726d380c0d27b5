import type { CurvatureResult } from "../../curvature/result.ts";
import type { Estimate } from "../../spectrum/trace.ts";
import { type Drawn, INK, literal, onePanel, TEXT } from "../figures/figure.ts";
import { colourOf, extent, titled, labels } from "./frame.ts";
import { count, fromBottom, number } from "./numbers.ts";

interface Row {
  readonly row: number;
  readonly index: string;
  readonly value: number;
  readonly text: string;
  readonly colour: string;
  /** On mini-batches that did not choose the eigenvector, with its standard error around it. */
  readonly heldOut?: number;
  readonly low?: number;
  readonly high?: number;
}

/** Longest whisker, in lengths of the longest bar: a longer one would hide the bars, so it is cut and its length printed. */
const LONGEST_WHISKER = 1.5;

/** Rows are closer where there are many. */
const FEW = 16;

/** The largest and smallest eigenvalues, in descending order from above; null where none was measured. */
export function spectrum(result: CurvatureResult): Drawn | null {
  const { eigenvalues, bottom, heldOut } = result;
  const top = eigenvalues.map((value, i) => rowOf(i, String(i + 1), value, heldOut[i]));
  // One row is left out between the ends of the spectrum.
  const gap = top.length > 0 && bottom.length > 0 ? 1 : 0;
  const last = top.length + gap + bottom.length - 1;
  const low = bottom.map((value, i) => rowOf(last - i, fromBottom(i), value));
  const rows = [...top, ...low.reverse()].filter(({ value }) => Number.isFinite(value));
  if (rows.length === 0) return null;

  const others = rows.filter((row) => row.heldOut !== undefined);
  const whiskers = others.filter(({ high }) => high !== undefined);
  const longest = LONGEST_WHISKER * Math.max(...rows.map(({ value }) => Math.abs(value)));
  const reach = others
    .flatMap((row) => [row.heldOut!, row.low!, row.high!].filter((x) => x !== undefined))
    .map((x) => Math.max(-longest, Math.min(longest, x)));
  const domain = extent([0, ...rows.map(({ value }) => value), ...reach], 0.03);
  const step = rows.length > FEW ? 17 : 24;
  const order = Array.from({ length: last + 1 }, (_, i) => i);
  const y = { field: "row", type: "ordinal", scale: { domain: order }, axis: null };
  const x = {
    field: "value",
    type: "quantitative",
    title: "eigenvalue",
    scale: { domain, nice: false, zero: false },
    axis: { ...labels(domain), tickCount: 5 },
  };
  const colour = literal("colour");
  const values = Math.max(...rows.map(({ text }) => text.length));
  const text = (mark: object, encoding: object) => ({
    mark: { type: "text", fontSize: TEXT, color: INK, baseline: "middle", ...mark },
    encoding: { y, ...encoding },
  });
  const spec = onePanel({
    ...titled(result, "Extreme eigenvalues of the Hessian", "largest first"),
    height: step * order.length,
    data: { values: rows },
    layer: [
      { data: { values: [{}] }, mark: { type: "rule", color: "#9ca3af" }, encoding: { x: { datum: 0 } } },
      {
        mark: { type: "rule", strokeWidth: 2.5, clip: true },
        encoding: { x, x2: { datum: 0 }, y, color: colour },
      },
      { mark: { type: "point", size: 60, opacity: 1, strokeWidth: 0 }, encoding: { x, y, fill: colour } },
      {
        data: { values: whiskers },
        mark: { type: "rule", strokeWidth: 1.5, color: INK, clip: true },
        encoding: { x: { ...x, field: "low" }, x2: { field: "high" }, y },
      },
      {
        data: { values: others },
        mark: { type: "point", size: 44, opacity: 1, strokeWidth: 1.5, fill: "white", stroke: INK, clip: true },
        encoding: { x: { ...x, field: "heldOut" }, y },
      },
      text({ align: "right", text: "λ", fontSize: TEXT + 3 }, { x: { value: -36 } }),
      // Unicode has no subscript d.
      text({ align: "left", dy: 5 }, { x: { value: -35 }, text: literal("index") }),
      text(
        { align: "right" },
        { x: { value: { expr: `width + ${14 + Math.ceil(8.3 * values)}` } }, text: literal("text") },
      ),
      ...(gap === 0
        ? []
        : [{ data: { values: [{ row: top.length }] }, ...text({ text: "⋮" }, { x: { value: -40 } }) }]),
    ],
  });
  return { spec, caption: captionOf(result, others.length > 0) };
}

function rowOf(row: number, index: string, value: number, other?: Estimate): Row {
  const { mean, stderr } = other ?? { mean: Number.NaN, stderr: Number.NaN };
  const known = Number.isFinite(mean);
  const ends = known && stderr > 0 && Number.isFinite(stderr) ? { low: mean - stderr, high: mean + stderr } : {};
  return {
    ...{ row, index, value, text: number(value), colour: colourOf(value) },
    ...(known ? { heldOut: mean } : {}),
    ...ends,
  };
}

function captionOf({ parameters, batches, converged, bottom, residuals }: CurvatureResult, others: boolean): string {
  const ends = bottom.length > 0 ? "The largest and smallest eigenvalues" : "The largest eigenvalues";
  const halves = others
    ? `; open circles: vᵀHv on the half of the ${batches} mini-batches that did not choose v, with standard errors`
    : "";
  const doubt = converged
    ? ""
    : residuals.length > 0
      ? "; some have not converged, see their residuals"
      : "; some may not have converged, their residuals were not measured";
  return `${ends} of the Hessian of the loss, of d = ${count(parameters)} parameters, negative ones in orange${halves}${doubt}.`;
}
