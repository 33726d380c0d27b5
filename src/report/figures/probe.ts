import { type ProbeMeasure, probeCurve, probedHow } from "../probe-measures.ts";
import type { Figure } from "./figure.ts";
import { anyPoint, lines } from "./lines.ts";

/** The figure of one of the probe's numbers over the steps at which it looked. */
export function probeFigure(measure: ProbeMeasure): Figure {
  const { id, title, symbol, shows, needs, within, linear = within !== undefined } = measure;
  return {
    name: id,
    title,
    lacks: (groups) =>
      anyPoint(groups, (run) => probeCurve(run, measure)) ? "one look of the probe is no curve" : `no run has ${needs}`,
    draw: (groups) =>
      lines(groups, (run) => probeCurve(run, measure), {
        ...(within ? { within } : {}),
        linear,
        zero: true,
        title,
        y: symbol,
        x: "step",
        shows: `${shows}, measured ${probedHow(groups)}`,
      }),
  };
}
