import type { CurvatureResult } from "../../curvature/result.ts";
import { type Drawn, HEIGHT, INK, literal, onePanel, TEXT } from "../figures/figure.ts";
import { across, colourOf, lineAtZero, POSITIVE, titled, upwards } from "./frame.ts";
import { number } from "./numbers.ts";

/** Half the width of the band, in standard errors. */
const BAND = 2;

/** Length of the marks at eigenvalues, in pixels. */
const TICK = 11;

/** The spectral density on a logarithmic axis; null where it was not measured. */
export function density(result: CurvatureResult): Drawn | null {
  if (result.density === undefined) return null;
  const { grid, density: values, stderr, sigma, probes, steps } = result.density;
  const peak = Math.max(...values.filter(Number.isFinite));
  if (!(peak > 0)) return null;
  const { one, floor } = levels(peak, sigma, result.parameters);
  // Ends of lines below the floor lie outside, where they are cut.
  const cut = (y: number) => Math.max(floor / 100, y || 0);
  const banded = stderr.some((error) => error > 0);
  const points = grid.map((x, i) => ({
    x,
    y: cut(values[i]!),
    ...(banded ? { low: cut(values[i]! - BAND * stderr[i]!), high: cut(values[i]! + BAND * stderr[i]!) } : {}),
  }));
  const highest = Math.max(peak, ...(banded ? points.map(({ high }) => Math.min(high!, 3 * peak)) : []));
  const domain = [floor, 1.5 * highest] as const;
  const marks = [...result.eigenvalues, ...result.bottom].filter(Number.isFinite);
  const x = across([...grid, ...marks], "eigenvalue");
  const y = upwards(true, domain);
  const single = one > floor && one < domain[1];
  const spec = onePanel({
    ...titled(result, "Spectral density of the Hessian", "fraction of the eigenvalues per unit, logarithmic"),
    height: HEIGHT,
    data: { values: points },
    layer: [
      lineAtZero(x),
      ...(single ? oneEigenvalue(one, y) : []),
      ...(banded
        ? [
            {
              mark: { type: "area", color: POSITIVE, opacity: 0.2, strokeWidth: 0, clip: true },
              encoding: { x, y: { ...y, field: "low" }, y2: { field: "high" } },
            },
          ]
        : []),
      { mark: { type: "line", color: POSITIVE, strokeWidth: 2, strokeJoin: "round", clip: true }, encoding: { x, y } },
      {
        data: { values: marks.map((value) => ({ x: value, colour: colourOf(value) })) },
        mark: { type: "rule", strokeWidth: 1.5 },
        encoding: { x, y: { value: HEIGHT - TICK }, y2: { value: HEIGHT }, color: literal("colour") },
      },
    ],
  });
  const band = banded
    ? `the band is ± ${BAND} standard errors over ${probes} probes`
    : `${probes === 1 ? "one probe" : "no difference between probes"}, so there is no band`;
  const marked = marks.length > 0 ? "; marks at the bottom are the eigenvalues that were measured" : "";
  const height = single ? "; a single eigenvalue would reach the dotted line" : "";
  return {
    spec,
    caption: `Distribution of the eigenvalues, each broadened to a width of ${number(sigma)} (${steps} Lanczos steps per probe); ${band}${marked}${height}.`,
  };
}

/** Height of one broadened eigenvalue among `parameters`; what is far lower is the tail of a Gaussian and no measurement. */
function levels(peak: number, sigma: number, parameters: number) {
  const one = 1 / (parameters * sigma * Math.sqrt(2 * Math.PI));
  return { one, floor: Math.min(one / 10, peak / 10) };
}

const oneEigenvalue = (one: number, y: object) => [
  {
    data: { values: [{ y: one }] },
    mark: { type: "rule", color: "#9ca3af", strokeDash: [2, 3] },
    encoding: { y },
  },
  {
    data: { values: [{ y: one }] },
    mark: {
      type: "text",
      text: "one eigenvalue",
      align: "right",
      baseline: "bottom",
      dy: -3,
      fontSize: TEXT,
      color: INK,
      opacity: 0.7,
    },
    encoding: { x: { value: { expr: "width - 4" } }, y },
  },
];
