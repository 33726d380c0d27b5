import type { TopLevelSpec } from "vega-lite";
import { stepCost } from "../cost.ts";
import type { Group } from "../groups.ts";
import { stylesOf } from "../palette.ts";
import { summarize } from "../../util/statistics.ts";
import { type Figure, INK, literal, specOf, WIDTH } from "./figure.ts";

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
  readonly ci95: number | undefined;
}

export const timePerStep: Figure = {
  name: "time-per-step",
  title: "Time per step",
  needs: "a complete epoch with timings",
  draw: (groups) => {
    const costs = costsOf(groups);
    if (costs.length === 0) return null;
    const counts = costs.map(({ n }) => n);
    const several = Math.max(...counts) > 1;
    const whiskers = several
      ? `bars are means over ${Math.min(...counts) === Math.max(...counts) ? "" : "up to "}${Math.max(...counts)} seeds, whiskers their 95 % confidence intervals`
      : "one seed each, so there are no whiskers";
    return {
      spec: barsOf(costs),
      caption: `Wall time of a training step: gradients and update in full colour, then the eigenvector estimates that the method needs, spread over the steps between them, then waiting for images (palest); ${whiskers}.`,
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
    return [{ label, n, colour: styles.get(label)!.colour, ms, ci95 }];
  });
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
    axis: { labelLimit: WIDTH / 2, labelColor: INK, labelPadding: 8 },
  };
  const reach = (ms: number, ci95 = 0) => Math.min(ms + ci95, LONGEST_WHISKER * longest);
  // Room on the right for the number behind the longest bar or its whisker.
  const end = 1.14 * Math.max(...costs.map(({ ms, ci95 }) => reach(ms.total, ci95)));
  const x = { field: "from", type: "quantitative", title: "milliseconds", scale: { domain: [0, end], nice: false } };
  const segments = costs.flatMap(({ label, colour, ms }) => {
    let from = 0;
    return parts.map(({ part, opacity }) => {
      const segment = { label, colour, opacity, from, to: from + ms[part] };
      from = segment.to;
      return segment;
    });
  });
  const totals = costs.map(({ label, ms, ci95 = 0 }) => ({
    label,
    text: ms.total < 10 ? ms.total.toFixed(1) : ms.total.toFixed(0),
    from: Math.max(0, ms.total - ci95),
    to: reach(ms.total, ci95),
  }));
  return specOf({
    width: WIDTH,
    height: { step: 38 },
    title: { text: "Time per step", subtitle: "milliseconds of wall time" },
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
      {
        data: { values: totals },
        mark: { type: "text", align: "left", dx: 6, fontSize: 12, color: INK },
        encoding: { x: { ...x, field: "to" }, y, text: literal("text") },
      },
    ],
  });
}
