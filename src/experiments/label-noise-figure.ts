import { trainingMethods } from "../optim/methods/index.ts";
import type { NamedFigure } from "../report/figures/figure.ts";
import { linesOfCurves, type LinesOptions, type NamedCurves } from "../report/figures/lines.ts";
import { settingOf } from "../sweep/names.ts";
import type { StudyRecord } from "./study/record.ts";

/** The line of a run: its method, or the placebo. */
function styleOf({ config }: StudyRecord): Pick<NamedCurves, "label" | "colour" | "dash"> {
  if (settingOf(config, "method.solver") === "random") return { label: "placebo", colour: "#e69f00", dash: [7, 3] };
  const name = String(settingOf(config, "method.name"));
  const method = Object.values(trainingMethods).find((each) => each.name === name);
  return { label: method?.title ?? name, colour: method?.colour ?? "#56b4e9", dash: [1, 0] };
}

/** A line per method: a number of the end of its runs against the part of the training labels that is wrong. */
function lineByNoise(
  records: readonly StudyRecord[],
  value: (record: StudyRecord) => number | undefined,
  { name, ...options }: Omit<LinesOptions, "x"> & { readonly name: string },
): NamedFigure[] {
  const named = new Map<
    string,
    { style: ReturnType<typeof styleOf>; seeds: Map<number, { x: number; y: number }[]> }
  >();
  for (const record of records) {
    const y = value(record);
    if (y === undefined) continue;
    const style = styleOf(record);
    const own = named.get(style.label) ?? { style, seeds: new Map() };
    named.set(style.label, own);
    const point = { x: 100 * Number(settingOf(record.config, "data.labelNoise")), y };
    own.seeds.set(record.seed, [...(own.seeds.get(record.seed) ?? []), point]);
  }
  const curves = [...named.values()].map(({ style, seeds }) => ({ ...style, curves: [...seeds.values()] }));
  const drawn = linesOfCurves(curves, { ...options, x: "wrong training labels, %" });
  return drawn === null ? [] : [{ name, title: options.title, ...drawn }];
}

/** Test accuracy and loss after the last epoch, against the part of the training labels that is wrong. */
export const byNoise = (records: readonly StudyRecord[]): NamedFigure[] => [
  ...lineByNoise(records, ({ test }) => test?.accuracy, {
    name: "accuracy-by-noise",
    title: "Test accuracy by wrong labels",
    y: "accuracy after the last epoch",
    ...{ percent: true, linear: true, within: [0, 1] },
    shows: "Accuracy on the test images, whose labels are right, after the last epoch",
  }),
  ...lineByNoise(records, ({ test }) => test?.loss, {
    name: "loss-by-noise",
    title: "Test loss by wrong labels",
    y: "mean cross-entropy after the last epoch",
    within: [0, Number.POSITIVE_INFINITY],
    shows: "Loss on the test images, whose labels are right, after the last epoch",
  }),
];
