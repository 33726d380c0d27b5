import type { TopLevelSpec } from "vega-lite";
import { howTimed, stepCost } from "../cost.ts";
import type { Group } from "../groups.ts";
import { stylesOf } from "../palette.ts";
import { summarize } from "../../util/statistics.ts";
import { FEW_SEEDS } from "./band-chart.ts";
import { type Figure, INK, literal, onePanel, TEXT } from "./figure.ts";

/** Parts of a bar from the left, the first in the method's full colour. */
const parts = [
  { part: "step", opacity: 1 },
  { part: "refresh", opacity: 0.5 },
  { part: "wait", opacity: 0.22 },
] as const;

interface Cost {
  readonly label: string;
  readonly n: number;
  readonly colour: string;
  /** Mean milliseconds over runs. */
  readonly ms: Readonly<Record<"total" | "step" | "refresh" | "wait", number>>;
  /** Half of the interval of the total, where the seeds are enough for one; they are dots otherwise. */
  readonly ci95: number | undefined;
  readonly seeds: readonly number[];
}

export const timePerStep: Figure = {
  name: "time-per-step",
  title: "Time per step",
  lacks: () => "no run has a complete epoch with timings",
  draw: (groups) => {
    const costs = costsOf(groups);
    if (costs.length === 0) return null;
    return {
      spec: barsOf(costs),
      caption: `Wall time of a training step: gradients and update in full colour, then the eigenvector estimates that the method needs, spread over the steps between them, then waiting for images (palest). ${barsNote(costs)}. Measured as ${howTimed(groups)}.`,
    };
  },
};

function costsOf(groups: readonly Group[]): Cost[] {
  const styles = stylesOf(groups);
  return groups.flatMap(({ label, runs }) => {
    const costs = runs.flatMap((run) => stepCost(run) ?? []);
    if (costs.length === 0) return [];
    const mean = (key: keyof Cost["ms"]) => 1000 * summarize(costs.map((cost) => cost[key])).mean;
    const { n, ci95 } = summarize(costs.map(({ total }) => 1000 * total));
    const ms = { total: mean("total"), step: mean("step"), refresh: mean("refresh"), wait: mean("wait") };
    const dots = n > 1 && n <= FEW_SEEDS;
    const seeds = dots ? costs.map(({ total }) => 1000 * total) : [];
    return [{ label, n, colour: styles.get(label)!.colour, ms, ci95: dots ? undefined : ci95, seeds }];
  });
}

/** What a bar is, and what is drawn on it. */
function barsNote(costs: readonly Cost[]): string {
  const counts = costs.map(({ n }) => n);
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  if (most === 1) return "One seed each, so a bar is that of one run";
  const marks = [
    ...(costs.some(({ seeds }) => seeds.length > 0) ? ["dots the seeds"] : []),
    ...(costs.some(({ ci95 }) => ci95 !== undefined) ? ["whiskers their 95 % confidence intervals"] : []),
  ];
  return `Bars are means over ${least === most ? "" : `${least} to `}${most} seeds, ${marks.join(", ")}`;
}

/** Longest whisker, in lengths of the longest bar: two seeds can have an interval so wide that no bar would be seen. */
const LONGEST_WHISKER = 1.6;

function barsOf(costs: readonly Cost[]): TopLevelSpec {
  const labels = costs.map(({ label }) => label);
  const longest = Math.max(...costs.map(({ ms }) => ms.total));
  const y = {
    field: "label",
    type: "nominal",
    sort: labels,
    title: null,
    axis: { labelLimit: 0, labelColor: INK, labelPadding: 8 },
  };
  const reach = (ms: number, ci95 = 0) => Math.min(ms + ci95, LONGEST_WHISKER * longest);
  // Room on the right for the number behind the longest bar or its whisker.
  const end = 1.14 * Math.max(...costs.flatMap(({ ms, ci95, seeds }) => [reach(ms.total, ci95), ...seeds]));
  const x = { field: "from", type: "quantitative", title: "milliseconds", scale: { domain: [0, end], nice: false } };
  const segments = costs.flatMap(({ label, colour, ms }) => {
    let from = 0;
    return parts.map(({ part, opacity }) => {
      const segment = { label, colour, opacity, from, to: from + ms[part] };
      from = segment.to;
      return segment;
    });
  });
  const totals = costs.map(({ label, ms, ci95 = 0, seeds }) => ({
    label,
    text: ms.total < 10 ? ms.total.toFixed(1) : ms.total.toFixed(0),
    from: Math.max(0, ms.total - ci95),
    to: reach(ms.total, ci95),
    end: Math.max(reach(ms.total, ci95), ...seeds),
  }));
  const dots = costs.flatMap(({ label, seeds }) => seeds.map((from) => ({ label, from })));
  return onePanel({
    height: 38 * costs.length + 4,
    title: {
      text: "Time per step",
      // Two lines: without a canvas, text is taken for wider than it is, and the picture with it.
      subtitle: ["wall time: gradients and update,", "estimates of v (paler), waiting for images (palest)"],
    },
    layer: [
      {
        data: { values: segments },
        mark: { type: "bar", height: 20 },
        encoding: {
          x,
          x2: { field: "to" },
          y,
          color: literal("colour"),
          opacity: { ...literal("opacity"), type: "quantitative" },
        },
      },
      {
        data: { values: totals.filter(({ from, to }) => to > from) },
        mark: { type: "rule", strokeWidth: 1.5, color: INK },
        encoding: { x, x2: { field: "to" }, y },
      },
      ...(dots.length > 0
        ? [
            {
              data: { values: dots },
              mark: { type: "point", filled: true, size: 26, opacity: 1, color: INK },
              encoding: { x, y },
            },
          ]
        : []),
      {
        data: { values: totals },
        mark: { type: "text", align: "left", dx: 6, fontSize: TEXT, color: INK },
        encoding: { x: { ...x, field: "end" }, y, text: literal("text") },
      },
    ],
  });
}
