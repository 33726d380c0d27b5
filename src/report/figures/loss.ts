import { band, logBand } from "../statistics.ts";
import { bandNote, type Figure, lines } from "./figure.ts";
import type { Group } from "../groups.ts";
import type { EpochLine } from "../read-run.ts";

const curve = (
  groups: readonly Group[],
  value: (line: EpochLine) => number | undefined,
  summary: typeof band = logBand,
) =>
  groups.map(({ label, runs }) => ({
    label,
    points: summary(
      runs.map(({ epochs }) =>
        epochs.flatMap((line) => {
          const y = value(line);
          return y === undefined ? [] : [{ x: line.epoch, y }];
        }),
      ),
    ),
  }));

const isEmpty = (series: ReturnType<typeof curve>) => series.every(({ points }) => points.length === 0);

export const trainLoss: Figure = {
  name: "train-loss",
  title: "Training loss",
  needs: "a complete epoch",
  draw: (groups) => {
    const series = curve(groups, ({ train }) => train.loss);
    if (isEmpty(series)) return null;
    const spec = lines(groups, series, { title: "Training loss", x: "epoch", y: "mean loss", log: true, points: true });
    return {
      spec,
      caption: `Mean mini-batch loss at θ, before each step, by epoch; logarithmic scale. ${bandNote(groups, true)}`,
    };
  },
};

export const valLoss: Figure = {
  name: "validation-loss",
  title: "Validation loss",
  needs: "a validation split and a complete epoch",
  draw: (groups) => {
    const series = curve(groups, ({ val }) => val?.loss);
    if (isEmpty(series)) return null;
    const spec = lines(groups, series, {
      title: "Validation loss",
      x: "epoch",
      y: "mean loss",
      log: true,
      points: true,
    });
    return {
      spec,
      caption: `Loss on the images kept aside, in inference mode; logarithmic scale. ${bandNote(groups, true)}`,
    };
  },
};

export const valAccuracy: Figure = {
  name: "validation-accuracy",
  title: "Validation accuracy",
  needs: "a validation split and a complete epoch",
  draw: (groups) => {
    const series = curve(groups, ({ val }) => val?.accuracy, band);
    if (isEmpty(series)) return null;
    const options = {
      title: "Validation accuracy",
      x: "epoch",
      y: "accuracy",
      format: ".0%",
      points: true,
      within: [0, 1],
    } as const;
    return {
      spec: lines(groups, series, options),
      caption: `Part of the images kept aside that are told right. ${bandNote(groups)}`,
    };
  },
};
