import type { Batch } from "../data/dataset.ts";
import { firstNotFinite } from "../util/finite.ts";
import { assertFinite } from "./failure.ts";
import type { Session } from "./session.ts";
import type { TrainState } from "./state.ts";

/** Throws where a vector of the state is no longer finite after step `step`. */
export function assertFiniteState(state: TrainState, step: number, epoch: number): void {
  const { theta, buffers, slots, method, probe, v } = state;
  const grouped = (group: string, vectors: Readonly<Record<string, Float32Array>>) =>
    Object.entries(vectors).map(([name, vector]) => [`${group} ${name}`, vector] as const);
  const vectors = [
    ["a parameter", theta],
    ["a running statistic", buffers],
    ["an element of the eigenvector", v],
    ...grouped("an element of the optimizer's", slots),
    ...grouped("an element of the method's", method),
    ...grouped("an element of the probe's", probe),
  ] as const;
  for (const [what, vector] of vectors) {
    const at = firstNotFinite(vector);
    if (at >= 0) assertFinite(vector[at]!, what, step, epoch);
  }
}

/**
 * Throws where the last step diverged, which the next one would find: a vector of the state or the loss of the step's own examples
 * is no longer finite. Only what passes is saved.
 */
export async function assertSound(
  { state, evaluator, batch }: Pick<Session, "state" | "evaluator" | "batch">,
  examples: Batch,
  step: number,
  epoch: number,
): Promise<void> {
  assertFiniteState(state, step, epoch);
  const { loss } = await evaluator.score(state, { ...examples, count: batch });
  assertFinite(loss, "after the update the loss", step, epoch);
}
