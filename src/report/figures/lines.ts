import type { Curve } from "../curves.ts";
import type { Group } from "../groups.ts";
import { stylesOf } from "../palette.ts";
import type { Run } from "../read-run.ts";
import { type AxisOptions, axisOf } from "./axis.ts";
import { averaged, bandChart } from "./band-chart.ts";
import { bandNote } from "./band-note.ts";
import { type Drawn, HEIGHT, specOf, WIDTH } from "./figure.ts";

export interface LinesOptions extends AxisOptions {
  readonly title: string;
  /** What the vertical axis shows. */
  readonly y: string;
  readonly x: "epoch" | "step";
  readonly percent?: boolean;
  /** Never logarithmic, however far the values span. */
  readonly linear?: boolean;
  /** What the reader sees: the first half of the caption. */
  readonly shows: string;
}

/** A line of means per group with a band over its seeds; null where no group has a point. */
export function lines(groups: readonly Group[], curveOf: (run: Run) => Curve, options: LinesOptions): Drawn | null {
  const means = averaged(
    groups.map(({ runs }) => runs.map(curveOf)),
    options.linear,
  );
  const styles = stylesOf(groups);
  const series = groups
    .map(({ label }, i) => ({ label, ...styles.get(label)!, points: means.points[i]! }))
    .filter(({ points }) => points.length > 0);
  if (series.length === 0) return null;
  const points = series.flatMap((s) => s.points);
  const axis = axisOf(points, means.log, options);
  const { title, x, y, percent = false, shows } = options;
  const spec = specOf({
    width: WIDTH,
    height: HEIGHT,
    title: { text: title, subtitle: means.log ? `${y}, logarithmic` : y },
    ...bandChart(series, axis, { x, percent, width: WIDTH }),
  });
  const cut = axis.cut ? " (cut off where they would flatten the lines)" : "";
  return { spec, caption: `${shows}; ${bandNote(points, means.log)}${cut}.` };
}
