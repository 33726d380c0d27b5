import type { Curve } from "../curves.ts";
import type { Group } from "../groups.ts";
import { stylesOf } from "../palette.ts";
import type { Run } from "../read-run.ts";
import { type AxisOptions, axisNote, axisOf } from "./axis.ts";
import { averaged, bandChart, linesOf } from "./band-chart.ts";
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

/**
 * A line of means per group, with a band or thin lines of its seeds. A group with one point has no line and is left out with a
 * note; null where no group has a line.
 */
export function lines(groups: readonly Group[], curveOf: (run: Run) => Curve, options: LinesOptions): Drawn | null {
  const curves = groups.map(({ runs }) => runs.map(curveOf));
  const { log, means } = averaged(curves, options.linear);
  const styles = stylesOf(groups);
  const all = groups.map(({ label }, i) => ({ label, ...styles.get(label)!, ...means[i]! }));
  const series = all.filter(({ points }) => points.length > 1);
  if (series.length === 0) return null;
  const axis = axisOf(linesOf(series), log, options);
  const { title, x, y, percent = false, shows } = options;
  const spec = specOf({
    width: WIDTH,
    height: HEIGHT,
    title: { text: title, subtitle: log ? `${y}, logarithmic` : y },
    ...bandChart(series, axis, { x, percent, width: WIDTH }),
  });
  const format = (value: number) => (percent ? `${significant(100 * value)} %` : significant(value));
  const alone = all.filter(({ points }) => points.length === 1).map(({ label }) => label);
  const without = alone.length === 0 ? "" : ` Without ${alone.join(", ")}: one ${x} is no line.`;
  const note = bandNote(
    series.flatMap(({ points }) => points),
    log,
  );
  return { spec, caption: `${shows}; ${note}${axisNote(axis, format)}.${without}` };
}

/** Whether there is a value to draw, be it too few for a line. */
export const anyPoint = (groups: readonly Group[], curveOf: (run: Run) => Curve): boolean =>
  groups.some(({ runs }) => runs.some((run) => curveOf(run).some(({ y }) => Number.isFinite(y))));

const significant = (value: number): string => String(Number(value.toPrecision(3)));
