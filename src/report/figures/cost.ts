import type { TopLevelSpec } from "vega-lite";
import { stylesOf } from "../palette.ts";
import { summarize } from "../statistics.ts";
import { config, type Figure, WIDTH } from "./figure.ts";
import { stepSeconds } from "../cost.ts";

export const timePerStep: Figure = {
  name: "time-per-step",
  title: "Time per step",
  needs: "a complete epoch",
  draw: (groups) => {
    const styles = stylesOf(groups);
    const values = groups.flatMap((group) => {
      const seconds = group.runs.flatMap((run) => stepSeconds(run) ?? []);
      return seconds.length === 0 ? [] : [{ label: group.label, ms: 1000 * summarize(seconds).mean }];
    });
    if (values.length === 0) return null;
    const labels = values.map(({ label }) => label);
    const y = {
      field: "label",
      type: "nominal",
      sort: labels,
      title: null,
      axis: { domain: false, ticks: false, labelFontSize: 12 },
    };
    const x = { field: "ms", type: "quantitative", title: "milliseconds per step, estimates of v included" };
    const color = {
      field: "label",
      type: "nominal",
      legend: null,
      scale: { domain: labels, range: labels.map((label) => styles.get(label)!.colour) },
    };
    const text = { text: { field: "ms", type: "quantitative", format: ".0f" }, color: { value: "#374151" } };
    const spec = {
      $schema: "https://vega.github.io/schema/vega-lite/v6.json",
      width: WIDTH,
      height: { step: 38 },
      config,
      title: "Time per step",
      data: { values },
      layer: [
        { mark: { type: "bar", cornerRadiusEnd: 3, height: 20 }, encoding: { x, y, color } },
        { mark: { type: "text", align: "left", dx: 6, fontSize: 12 }, encoding: { x, y, ...text } },
      ],
    } as unknown as TopLevelSpec;
    return {
      spec,
      caption:
        "Mean over an epoch's steps and over seeds: waiting for images, both gradients, update, and the estimates of the eigenvector spread over the steps.",
    };
  },
};
