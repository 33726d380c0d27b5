import { legendColumns } from "../../report/figures/band-chart.ts";
import { type Drawn, HEIGHT, INK, literal, specOf } from "../../report/figures/figure.ts";
import { SHARPNESS_TITLE, sharpnessLayers } from "../../report/figures/sharpness-by-loss.ts";
import type { StudyRecord } from "../study/record.ts";
import { armNames } from "./plan.ts";

/** Okabe & Ito's colours, in the order of the arms. */
const COLOURS = ["#0072b2", "#d55e00", "#cc79a7", "#009e73", "#9ca3af", "#111827"];

const colourOf = (arm: string): string => COLOURS[(armNames as readonly string[]).indexOf(arm)]!;

const PANEL = 320;

/** λ₁ against the loss on the same images, a line per run, a panel per network. */
export function sharpnessFigure(records: readonly StudyRecord[]): Drawn {
  const networks = [...new Set(records.map(({ network }) => network))];
  const values = records.flatMap(({ network, arm, seed, probes }) =>
    probes.flatMap(({ step, loss, eigenvalue }) =>
      loss > 0 && eigenvalue > 0
        ? [{ network, arm, run: `${arm} ${seed}`, step, loss, eigenvalue, colour: colourOf(arm) }]
        : [],
    ),
  );
  const arms = armNames.filter((arm) => values.some((value) => value.arm === arm));
  const stroke = {
    field: "arm",
    type: "nominal",
    sort: arms,
    scale: { domain: arms, range: arms.map(colourOf) },
    legend: { columns: legendColumns(arms, networks.length * PANEL) },
  };
  const panel = (network: string) => ({
    width: PANEL,
    height: HEIGHT,
    title: { text: network, fontSize: 13, anchor: "middle", offset: 4, color: INK },
    transform: [{ filter: { field: "network", equal: network } }],
    layer: sharpnessLayers({ stroke }, literal("colour")),
  });
  return {
    spec: specOf({
      title: SHARPNESS_TITLE,
      data: { values },
      hconcat: networks.map(panel),
      resolve: { scale: { stroke: "shared" }, legend: { stroke: "shared" } },
    }),
    caption:
      "λ₁ against the loss, a line per run and a dot per look of the probe; training goes from right to left. A network that has learnt less is flatter for that alone, so arms are compared at the same loss.",
  };
}
