import type { Model } from "../nn/scope.ts";
import type { TypedArray } from "../runtime/session.ts";
import { rng } from "../util/rng.ts";
import { mixingShare } from "./mixup.ts";
import type { Task } from "./task.ts";

/** What is random in a step's passes on one of its micro-batches, by number, as inputs of a graph. */
export type Draws = (part: number) => Readonly<Record<string, Float32Array>>;

/**
 * What is random in training steps: the numbers that the network takes, and λ of mixup. A function of seed, step and micro-batch alone, so a step has the same wherever it
 * looks, and a resumed run those that it would have had. The next micro-batch writes over the arrays.
 */
export function drawsOf(
  { mixup = 0 }: Pick<Task, "mixup">,
  { draws }: Pick<Model, "draws">,
  seed: number,
): (step: number) => Draws {
  const values = new Float32Array(draws);
  const mix = new Float32Array(1);
  const made = { ...(draws === 0 ? {} : { draws: values }), ...(mixup === 0 ? {} : { mix }) };
  let held = "";
  return (step) => (part) => {
    const wanted = `${step}/${part}`;
    if (held === wanted) return made;
    if (draws > 0) {
      const random = rng(seed, "dropout", step, part);
      for (let i = 0; i < draws; i++) values[i] = random.uniform();
    }
    if (mixup > 0) mix[0] = mixingShare(mixup, rng(seed, "mixup", step, part));
    held = wanted;
    return made;
  };
}

/** The inputs of a pass on a micro-batch, with what is random in it. */
export const withDraws = <I extends Readonly<Record<string, TypedArray>>>(
  inputs: I,
  draws: Draws | undefined,
  part: number,
) => ({ ...inputs, ...draws?.(part) });
