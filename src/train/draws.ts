import type { Model } from "../nn/scope.ts";
import type { TypedArray } from "../runtime/session.ts";
import { rng } from "../util/rng.ts";

/** The random numbers of a step's passes on one of its micro-batches, by number; undefined where the network takes none. */
export type Draws = (part: number) => Float32Array | undefined;

/**
 * The random numbers of the networks of training steps: a function of seed, step and micro-batch alone, so a step has the same wherever it looks, and a resumed run those
 * that it would have had. One array, which the next micro-batch writes over, holds them.
 */
export function drawsOf({ draws }: Pick<Model, "draws">, seed: number): (step: number) => Draws {
  if (draws === 0) return () => () => undefined;
  const values = new Float32Array(draws);
  let held = "";
  return (step) => (part) => {
    const wanted = `${step}/${part}`;
    if (held === wanted) return values;
    const random = rng(seed, "dropout", step, part);
    for (let i = 0; i < draws; i++) values[i] = random.uniform();
    held = wanted;
    return values;
  };
}

/** The inputs of a pass on a micro-batch, with its random numbers where it takes some. */
export function withDraws<I extends Readonly<Record<string, TypedArray>>>(
  inputs: I,
  draws: Draws | undefined,
  part: number,
) {
  const drawn = draws?.(part);
  return drawn === undefined ? inputs : { ...inputs, draws: drawn };
}
