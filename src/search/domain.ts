import type { Rng } from "../util/rng.ts";
import { type Choice, type Parameter, type Range, sameValue, type Value } from "./parameter.ts";

/** The line on which a range's densities are: logarithms where it is logarithmic; a whole number n is the cell n ± ½. */
export interface Axis {
  readonly low: number;
  readonly high: number;
  /** Where a number of the range lies. */
  at(x: number): number;
  /** The number of the range at a place between low and high. */
  numberAt(place: number): number;
}

export function axisOf({ min, max, log, integer }: Range): Axis {
  const half = integer ? 0.5 : 0;
  const at = (x: number): number => (log ? Math.log(x) : x);
  return {
    low: at(min - half),
    high: at(max + half),
    at,
    numberAt: (place) => {
      const x = log ? Math.exp(place) : place;
      return Math.min(max, Math.max(min, integer ? Math.round(x) : x));
    },
  };
}

/** The values of a choice, each once. */
export const choicesOf = ({ values }: Choice): Value[] =>
  values.filter((value, i) => values.findIndex((other) => sameValue(other, value)) === i);

/** A value drawn evenly, on its axis if it is a number. */
export function evenly({ domain }: Parameter, random: Rng): Value {
  if (domain.kind === "choice") {
    const values = choicesOf(domain);
    return values[Math.floor(values.length * random.uniform())]!;
  }
  const { low, high, numberAt } = axisOf(domain);
  return numberAt(low + (high - low) * random.uniform());
}

/** Every value of a domain once, from a random one on and around; of a range that is not of whole numbers a random one alone. */
export function* around(parameter: Parameter, random: Rng): Generator<Value> {
  const { count, valueAt } = listed(parameter, random);
  const start = Math.floor(count * random.uniform());
  for (let i = 0; i < count; i++) yield valueAt((start + i) % count);
}

/** The values as a list that is never made, as it may be long. */
function listed({ key, domain }: Parameter, random: Rng): { count: number; valueAt: (i: number) => Value } {
  if (domain.kind === "choice") {
    const values = choicesOf(domain);
    return { count: values.length, valueAt: (i) => values[i]! };
  }
  const { min, max, integer } = domain;
  return integer
    ? { count: max - min + 1, valueAt: (i) => min + i }
    : { count: 1, valueAt: () => evenly({ key, domain }, random) };
}
