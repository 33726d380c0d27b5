import type { Curve } from "../curves.ts";
import type { EpochLine } from "../../train/records.ts";
import type { Figure } from "./figure.ts";
import { anyPoint, lines, type LinesOptions } from "./lines.ts";

type Value = (line: EpochLine) => number | undefined;

function byEpoch(name: string, needs: string, value: Value, options: Omit<LinesOptions, "x">): Figure {
  const curve = (epochs: readonly EpochLine[]): Curve =>
    epochs.flatMap((line) => {
      const y = value(line);
      return y === undefined ? [] : [{ x: line.epoch, y }];
    });
  return {
    name,
    title: options.title,
    lacks: (groups) =>
      anyPoint(groups, ({ epochs }) => curve(epochs)) ? "one epoch is no curve" : `no run has ${needs}`,
    draw: (groups) => lines(groups, ({ epochs }) => curve(epochs), { ...options, x: "epoch" }),
  };
}

const VALIDATED = "a validation split and a complete epoch";
const TESTED = "test scores during training (train.testEvery)";

const loss = { y: "mean cross-entropy", within: [0, Number.POSITIVE_INFINITY] } as const;
const accuracy = { y: "accuracy", percent: true, linear: true, within: [0, 1] } as const;

export const trainLoss = byEpoch("train-loss", "a complete epoch", ({ train }) => train.loss, {
  ...loss,
  title: "Training loss",
  shows: "Mean loss of the mini-batches of each epoch, before each step and without the perturbation",
});

export const validationLoss = byEpoch("validation-loss", VALIDATED, ({ val }) => val?.loss, {
  ...loss,
  title: "Validation loss",
  shows: "Loss on the validation images after each epoch",
});

export const testLoss = byEpoch("test-loss", TESTED, ({ test }) => test?.loss, {
  ...loss,
  title: "Test loss",
  shows: "Loss on the test images after each epoch that was scored",
});

export const validationAccuracy = byEpoch("validation-accuracy", VALIDATED, ({ val }) => val?.accuracy, {
  ...accuracy,
  title: "Validation accuracy",
  shows: "Accuracy on the validation images after each epoch",
});

export const testAccuracy = byEpoch("test-accuracy", TESTED, ({ test }) => test?.accuracy, {
  ...accuracy,
  title: "Test accuracy",
  shows: "Accuracy on the test images after each epoch that was scored",
});
