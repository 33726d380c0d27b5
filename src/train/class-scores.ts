import type { Split } from "../data/dataset.ts";
import { ConfigError } from "../util/errors.ts";
import { countClasses, emptyConfusion } from "./confusion.ts";
import type { Evaluator } from "./evaluate.ts";
import type { Task } from "./task.ts";
import type { Weights } from "./weights.ts";

/** What is asked for besides loss and accuracy. */
export interface ClassRequest {
  /** Scores of each class, and the confusion matrix. */
  readonly classes?: boolean;
  /** The k of top-k accuracy. */
  readonly topK?: number;
}

/** How one class was told from the others. Null stands for 0/0. */
export interface ClassScore {
  readonly label: number;
  /** Its name; where the data set has none, its label. */
  readonly name: string;
  /** Examples of the class. */
  readonly n: number;
  /** Examples that were taken for it. */
  readonly predicted: number;
  /** The part of `predicted` that is of the class. */
  readonly precision: number | null;
  /** The part of `n` that was found. */
  readonly recall: number | null;
  /** Harmonic mean of precision and recall, 2·correct/(n + predicted). */
  readonly f1: number | null;
}

/** Scores that only classes have. */
export interface ClassScores {
  readonly topK?: { readonly k: number; readonly accuracy: number };
  readonly classes?: readonly ClassScore[];
  /** Examples by class, in rows, and by what they were taken for, in columns. */
  readonly confusion?: readonly (readonly number[])[];
}

/**
 * Scores by class of outputs [n, width] for labels [n]. An example counts as the class of its largest output; of equal ones the first, as in
 * the accuracy. Its label is among the top k where fewer than k others come before it.
 * @throws ConfigError where k is no number of classes
 * @throws InputError where an output is NaN
 */
export function classScores(
  outputs: Float32Array,
  labels: ArrayLike<number>,
  { classes, topK }: ClassRequest,
  names: readonly string[] = [],
): ClassScores {
  const width = outputs.length / labels.length;
  if (topK !== undefined && !(Number.isInteger(topK) && topK >= 1 && topK <= width))
    throw new ConfigError(
      `top-k accuracy was asked for with k = ${topK}, but there are ${width} classes`,
      { topK, classes: width },
      `give a whole number from 1 to ${width}`,
    );
  const confusion = emptyConfusion(width);
  countClasses(confusion, outputs, labels);
  let within = 0;
  for (let i = 0; i < labels.length; i++) {
    const [row, label] = [outputs.subarray(i * width, (i + 1) * width), labels[i]!];
    const own = row[label]!;
    let before = 0;
    for (let at = 0; at < width; at++) before += Number(row[at]! > own || (row[at] === own && at < label));
    within += Number(before < (topK ?? 0));
  }
  return {
    ...(topK === undefined ? {} : { topK: { k: topK, accuracy: within / labels.length } }),
    ...(classes ? { classes: scoresOf(confusion, names), confusion } : {}),
  };
}

/** How each class was told from the others. */
export const scoresOf = (confusion: readonly (readonly number[])[], names: readonly string[] = []): ClassScore[] =>
  confusion.map((_, label) => scoreOf(confusion, label, names));

function scoreOf(confusion: readonly (readonly number[])[], label: number, names: readonly string[]): ClassScore {
  const correct = confusion[label]![label]!;
  const n = confusion[label]!.reduce((sum, count) => sum + count, 0);
  const predicted = confusion.reduce((sum, row) => sum + row[label]!, 0);
  return {
    ...{ label, name: names[label] ?? String(label), n, predicted },
    precision: part(correct, predicted),
    recall: part(correct, n),
    f1: part(2 * correct, n + predicted),
  };
}

const part = (some: number, all: number): number | null => (all === 0 ? null : some / all);

/**
 * Scores by class of weights on a split; nothing where nothing is asked for. The network passes over the split once more.
 * @throws ConfigError where the targets are no classes
 */
export async function scoreClasses(
  { format, loss }: Pick<Task, "format" | "loss">,
  evaluator: Pick<Evaluator, "outputs">,
  weights: Weights,
  { x, y, count }: Split,
  request: ClassRequest,
): Promise<ClassScores> {
  if (!request.classes && request.topK === undefined) return {};
  if (format.targets.kind !== "labels" || loss.correct === undefined)
    throw new ConfigError(
      `scores by class were asked for, but loss ${loss.name} has no classes here`,
      { loss: loss.name, targets: format.targets.kind },
      "leave them out, or train on labels with cross-entropy",
    );
  return classScores(await evaluator.outputs(weights, x, count), y, request, format.classNames);
}
