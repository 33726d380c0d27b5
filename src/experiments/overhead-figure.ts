import { type NamedFigure, INK, literal, onePanel, TEXT } from "../report/figures/figure.ts";
import { trainingMethods } from "../optim/methods/index.ts";

/** What the steps of a method cost on a network: medians over its seeds. */
export interface CostRow {
  readonly network: string;
  readonly arm: string;
  readonly seconds: number;
  readonly refreshShare: number;
  readonly memoryMiB: number;
  /** Seconds per step of each seed. */
  readonly bySeed: readonly number[];
}

/** Arms of one method differ by the strength of its colour. */
const PALER = 0.65;

/** Times of steps in those of SGD on the same network, so that networks of any size share an axis. */
export function overSgd(rows: readonly CostRow[]): NamedFigure[] {
  const bars = rows.flatMap((row) => {
    const sgd = rows.find(({ network, arm }) => network === row.network && arm === "sgd");
    if (sgd === undefined || row === sgd) return [];
    const [name, ...rest] = row.arm.split(" ");
    const method = Object.values(trainingMethods).find((each) => each.name === name);
    const total = row.seconds / sgd.seconds;
    return {
      label: `${[method?.title ?? name, ...rest.map((word) => `(${word})`)].join(" ")}, ${row.network}`,
      colour: method?.colour ?? INK,
      step: total * (1 - row.refreshShare),
      total,
      dots: row.bySeed.map((seconds) => seconds / sgd.seconds),
    };
  });
  if (bars.length === 0) return [];
  const title = "Time of a step, over SGD's";
  const y = {
    field: "label",
    type: "nominal",
    sort: bars.map(({ label }) => label),
    title: null,
    axis: { labelLimit: 0, labelColor: INK, labelPadding: 8 },
  };
  const end = 1.14 * Math.max(...bars.flatMap(({ total, dots }) => [total, ...dots]));
  const x = { type: "quantitative", title: "steps of SGD", scale: { domain: [0, end], nice: false } };
  const segments = bars.flatMap(({ label, colour, step, total }) => [
    { label, colour, opacity: 1, from: 0, to: step },
    { label, colour, opacity: 1 - PALER, from: step, to: total },
  ]);
  const ends = bars.map(({ label, total, dots }) => ({
    label,
    end: Math.max(total, ...dots),
    text: total.toFixed(2),
  }));
  const spec = onePanel({
    height: 34 * bars.length + 4,
    title: {
      text: title,
      subtitle: ["medians over seeds (dots); paler: estimates of v", "spread over the steps between them"],
    },
    layer: [
      {
        data: { values: segments },
        mark: { type: "bar", height: 18 },
        encoding: {
          x: { ...x, field: "from" },
          x2: { field: "to" },
          y,
          color: literal("colour"),
          opacity: { ...literal("opacity"), type: "quantitative" },
        },
      },
      {
        data: { values: bars.flatMap(({ label, dots }) => dots.map((at) => ({ label, at }))) },
        mark: { type: "point", filled: true, size: 26, opacity: 1, color: INK },
        encoding: { x: { ...x, field: "at" }, y },
      },
      {
        data: { values: ends },
        mark: { type: "text", align: "left", dx: 6, fontSize: TEXT, color: INK },
        encoding: { x: { ...x, field: "end" }, y, text: literal("text") },
      },
    ],
  });
  return [
    {
      ...{ name: "time-over-sgd", title, spec },
      caption:
        "Wall time of a training step in steps of SGD on the same network: medians over seeds, dots the seeds. Gradients and update in full colour, then the estimates of v that the method needs, spread over the steps between them.",
    },
  ];
}
