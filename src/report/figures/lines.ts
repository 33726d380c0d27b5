import type { Curve } from "../curves.ts";
import type { Group } from "../groups.ts";
import { stylesOf } from "../palette.ts";
import type { Run } from "../read-run.ts";
import { type AxisOptions, axisNote, axisOf } from "./axis.ts";
import { averaged, bandChart, legendHeight, type LineStyle, linesOf } from "./band-chart.ts";
import { bandNote } from "./band-note.ts";
import { endLabels } from "./end-labels.ts";
import { type Drawn, HEIGHT, INNER, onePanel } from "./figure.ts";

export interface LinesOptions extends AxisOptions {
  readonly title: string;
  /** What the vertical axis shows. */
  readonly y: string;
  readonly x: string;
  readonly percent?: boolean;
  /** Never logarithmic, however far the values span. */
  readonly linear?: boolean;
  /** What the reader sees: the first half of the caption. */
  readonly shows: string;
}

/** What a line and its band are means of, and how it looks. */
export interface NamedCurves extends LineStyle {
  readonly label: string;
  /** A curve per seed. */
  readonly curves: readonly Curve[];
}

/** The same for the runs of groups, in the colours of a report. */
export function lines(groups: readonly Group[], curveOf: (run: Run) => Curve, options: LinesOptions): Drawn | null {
  const styles = stylesOf(groups);
  return linesOfCurves(
    groups.map(({ label, runs }) => ({ label, ...styles.get(label)!, curves: runs.map(curveOf) })),
    options,
  );
}

/**
 * A line of means per name, with a band or thin lines of its seeds. A name with one point has no line and is left out with a
 * note; null where none has a line.
 */
export function linesOfCurves(named: readonly NamedCurves[], options: LinesOptions): Drawn | null {
  const { log, means } = averaged(
    named.map(({ curves }) => curves),
    options.linear,
  );
  const all = named.map(({ curves: _, ...name }, i) => ({ ...name, ...means[i]! }));
  const series = all.filter(({ points }) => points.length > 1);
  if (series.length === 0) return null;
  const axis = axisOf(linesOf(series), log, options);
  const { title, x, y, percent = false, shows } = options;
  // A plot without a legend has its height, so that all pictures are alike.
  const names = series.map(({ label }) => label);
  const tall = HEIGHT + legendHeight(names, INNER);
  const ends = endLabels(series, axis, tall);
  const spec = onePanel({
    height: ends ? tall : HEIGHT,
    title: { text: title, subtitle: log ? `${y}, logarithmic` : y },
    ...bandChart(series, axis, { x, percent, width: INNER, ends }),
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
