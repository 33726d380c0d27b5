import type { Tensor } from "../graph/tensor.ts";
import type { Method } from "./method.ts";
import { sgd } from "./methods/sgd.ts";
import { usam } from "./methods/usam.ts";

/**
 * Which rule a step takes: the base optimizer's before `method.from`, USAM's in a warm-up, the method's own, or the one it has between its own.
 */
export type Phase = "before" | "warmup" | "own" | "between";

/** The rule of a phase, as a method in the place of the whole one; all but that of "before" take the same inputs. */
export function methodOfPhase(method: Method, phase: Phase): Method {
  if (phase === "before") return sgd;
  if (phase === "warmup") return warmedUp(method);
  return phase === "between" && method.between ? { ...method, descend: method.between.descend } : method;
}

/** USAM in the place of a method: it reads the method's ρ and leaves its state alone. */
const warmedUp = ({ hyper, state, needs }: Method): Method => ({
  ...usam,
  ...{ hyper, state, needs },
  descend: (at, values) => ({
    ...usam.descend(at, values),
    state: Object.fromEntries(Object.keys(state).map((name) => [name, values[name] as Tensor])),
  }),
});

/** The rule that the steps of a method take by their number, counted from 0 at its first; its own or the one between. */
export const ownPhase = (
  { between }: Pick<Method, "between">,
  step: number,
  hyper: Readonly<Record<string, number>>,
): Phase => (between?.when(step, hyper) ? "between" : "own");
