import { probedHow } from "../probe-measures.ts";
import { legendColumns } from "./band-chart.ts";
import type { Figure } from "./figure.ts";
import { HEIGHT, INNER, literal, onePanel } from "./figure.ts";
import { stylesOf } from "../palette.ts";

export const SHARPNESS_TITLE = { text: "Sharpness at equal loss", subtitle: "λ₁, logarithmic" } as const;

/** λ₁ against the loss of looks: a line per `run` in the order of its steps, and a dot per look. */
export function sharpnessLayers(line: object, fill: object): object[] {
  const axis = (field: string, title: string | null) => ({
    field,
    type: "quantitative",
    title,
    scale: { type: "log", nice: false, padding: 8 },
    axis: { format: "~g", tickCount: 4, grid: field !== "loss" },
  });
  const at = { x: axis("loss", "loss on the probe's images, logarithmic"), y: axis("eigenvalue", null) };
  return [
    {
      mark: { type: "line", strokeWidth: 1.2, opacity: 0.6 },
      encoding: { ...at, ...line, order: { field: "step" }, detail: { field: "run" } },
    },
    { mark: { type: "point", strokeWidth: 0, size: 26, opacity: 0.9 }, encoding: { ...at, fill } },
  ];
}

/** λ₁ against the loss on the same images: a network that has learnt less is flatter for that alone. */
export const sharpnessByLoss: Figure = {
  name: "sharpness-by-loss",
  title: SHARPNESS_TITLE.text,
  lacks: () => "no two looks of the probe (probe.every) in one run",
  draw: (groups) => {
    const styles = stylesOf(groups);
    const looks = groups.flatMap(({ label, runs }) =>
      runs.flatMap(({ probes }, run) =>
        probes.flatMap(({ step, loss, eigenvalue }) =>
          loss > 0 && eigenvalue > 0 ? [{ label, run, step, loss, eigenvalue, colour: styles.get(label)!.colour }] : [],
        ),
      ),
    );
    if (!groups.some(({ runs }) => runs.some(({ probes }) => probes.length > 1)) || looks.length === 0) return null;
    const labels = groups.map(({ label }) => label).filter((label) => looks.some((look) => look.label === label));
    const stroke = {
      field: "label",
      type: "nominal",
      sort: labels,
      scale: { domain: labels, range: labels.map((label) => styles.get(label)!.colour) },
      legend: { columns: legendColumns(labels, INNER) },
    };
    const strokeDash = { ...stroke, scale: { domain: labels, range: labels.map((label) => styles.get(label)!.dash) } };
    const spec = onePanel({
      height: HEIGHT,
      title: SHARPNESS_TITLE,
      data: { values: looks },
      layer: sharpnessLayers({ stroke, strokeDash }, literal("colour")),
    });
    return {
      spec,
      caption: `λ₁ against the loss, a line per run and a dot per look; training goes from right to left. Compare methods at the same loss: a network that has learnt less is flatter for that alone. Both are measured ${probedHow(groups)}.`,
    };
  },
};
