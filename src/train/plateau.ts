import { isSplit, type TargetArray } from "../data/dataset.ts";
import { losses } from "../nn/losses.ts";
import type { Problem } from "./session.ts";

/** Steps before a training loss that has not fallen is worth a word. */
const PATIENCE = 100;

/** Part of the loss of guessing that a training which learns anything falls below. */
const FALLEN = 0.98;

/** How far a training is: steps in all and in its epoch, and the mean loss of the epoch so far. */
interface Moment {
  readonly step: number;
  readonly stepInEpoch: number;
  readonly stepsPerEpoch: number;
  readonly loss: number;
}

/** Looks once whether the loss has fallen below that of guessing, and says what to try where it has not. */
export function plateauWatch(problem: Problem): (moment: Moment) => string | undefined {
  const guess = guessingLoss(problem);
  return (moment) => {
    if (guess === undefined || !isDue(moment) || moment.loss < FALLEN * guess) return undefined;
    const { optimizer, method, model, schedule } = problem.config;
    const { rho } = method;
    const perturbed = typeof rho === "number" && rho > 0;
    const normed = problem.model.buffers.size > 0;
    const tries = [
      ...(perturbed ? [`method.rho=${smaller(rho)}`] : []),
      ...(!normed && (model.init ?? "default") === "default"
        ? [`model.init=he${perturbed ? " with method.rhoWarmup=1" : ""}`]
        : []),
      ...(schedule.warmup === 0 ? ["schedule.warmup=1"] : []),
      ...(!normed ? ["a network with batch norm (model.name=resnet18)"] : []),
      `another optimizer.lr, such as ${smaller(optimizer.lr)}`,
    ];
    return `after ${moment.step} steps the training loss is ${moment.loss.toFixed(3)}, no better than guessing (${guess.toFixed(3)})\n  hint: try ${tries.join(", ")}; do the examples and labels of ${problem.dataset.name} belong together, and does ${model.name} suit them?`;
  };
}

/** At one moment of a run, which is a function of the step: twice the patience into a long epoch, else after the first epoch beyond it. */
function isDue({ step, stepInEpoch, stepsPerEpoch }: Moment): boolean {
  if (stepsPerEpoch >= 2 * PATIENCE) return step === 2 * PATIENCE;
  return stepInEpoch === stepsPerEpoch && step >= PATIENCE && step - stepsPerEpoch < PATIENCE;
}

const smaller = (value: number): number => Number((value / 5).toPrecision(1));

/** The cross-entropy of a constant guess, at best: the entropy of the labels. Undefined where it says nothing. */
export function guessingLoss({ task, train }: Pick<Problem, "task" | "train">): number | undefined {
  const { targets } = task.format;
  if (task.loss !== losses["cross-entropy"] || targets.kind !== "labels") return undefined;
  const { classes } = targets;
  const smoothed = (part: number) => (1 - task.labelSmoothing) * part + task.labelSmoothing / classes;
  const parts = isSplit(train) ? frequencies(train.y, classes) : new Float64Array(classes).fill(1 / classes);
  const entropy = parts.reduce((sum, part) => sum - xlogx(smoothed(part)), 0);
  // Where nearly all labels are equal, a network may learn much and lose little.
  return entropy > 0.5 * Math.log(2) ? entropy : undefined;
}

const xlogx = (x: number): number => (x > 0 ? x * Math.log(x) : 0);

function frequencies(labels: TargetArray, classes: number): Float64Array {
  const counts = new Float64Array(classes);
  for (const label of labels) counts[label]! += 1 / labels.length;
  return counts;
}
