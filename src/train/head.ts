import type { ModelEntry } from "../models/entry.ts";
import { networkOf } from "../models/entry.ts";
import { declare } from "../nn/scope.ts";
import type { Shape } from "../util/shape.ts";
import type { TrainConfig } from "./config.ts";
import type { Format } from "./task.ts";

/** A parameter whose shape grows with the number of classes. */
export interface HeadParameter {
  readonly name: string;
  readonly axis: number;
  /** How long the axis is for a number of classes. */
  length(classes: number): number;
}

/** The network of settings for a number of classes, and one example. */
export const modelOfClasses = (
  entry: ModelEntry,
  settings: TrainConfig["model"],
  { inputShape, dtype }: Pick<Format, "inputShape" | "dtype">,
  classes: number,
) => declare(networkOf(entry, { ...settings, classes }), [1, ...inputShape], dtype === "i32" ? "i32" : "f32");

/** The parameters of the last layer, found by what grows with the classes; none for a network function of the caller's. */
export function headOf(
  entry: ModelEntry,
  settings: TrainConfig["model"],
  format: Pick<Format, "inputShape" | "dtype">,
): HeadParameter[] {
  const shapes = (classes: number) => modelOfClasses(entry, settings, format, classes).parameters.entries;
  const [two, three] = [shapes(2), shapes(3)];
  return two.flatMap(({ name, shape }, i): HeadParameter[] => {
    const other: Shape = three[i]!.shape;
    const axis = shape.findIndex((length, at) => length !== other[at]);
    if (axis < 0) return [];
    const [least, step] = [shape[axis]!, other[axis]! - shape[axis]!];
    return [{ name, axis, length: (classes) => least + (classes - 2) * step }];
  });
}
