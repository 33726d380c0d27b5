import type { Rng } from "../util/rng.ts";
import { axisOf, choicesOf } from "./domain.ts";
import { normalDensity, normalMass } from "./normal.ts";
import { type Choice, type Parameter, type Range, sameValue, type Value } from "./parameter.ts";

/** Where a parameter's values were seen, smoothed, with one further broad observation of the whole domain, the prior. */
export interface Density {
  draw(random: Rng): Value;
  /** The logarithm of the density, on the axis of a range, or of the probability of a choice. */
  log(value: Value): number;
}

/** So many of the latest observations weigh as much as the prior; the older, the less. */
const RECENT = 25;

/** What was seen of a parameter, the oldest first; nothing where it was inactive. */
type Observations = readonly (Value | undefined)[];

/**
 * The Parzen estimator of a parameter (Bergstra et al. 2011, with the weights and widths of Optuna 5) from the observations that lie in its
 * domain.
 */
export function densityOf({ domain }: Pick<Parameter, "domain">, observations: Observations): Density {
  if (domain.kind === "choice") return choiceDensity(domain, observations);
  if (domain.min === domain.max) return { draw: () => domain.min, log: () => 0 };
  return rangeDensity(
    domain,
    observations.filter((x) => isWithin(domain, x)),
  );
}

/** Weights of n observations, the oldest first, and the prior; together 1. */
export function weightsOf(n: number): number[] {
  const older = n - RECENT;
  const weights = Array.from({ length: n }, (_, i) =>
    i < older ? 1 / n + (older > 1 ? (i / (older - 1)) * (1 - 1 / n) : 0) : 1,
  );
  const sum = weights.reduce((a, b) => a + b, 1);
  return [...weights, 1].map((weight) => weight / sum);
}

/** Centres and widths of the normal distributions of a range, the prior's last. */
export function kernelsOf(range: Range, observations: readonly number[]) {
  const { low, high, at } = axisOf(range);
  const n = observations.length;
  const width = high - low;
  const seen = observations.map(at);
  const order = seen.map((_, i) => i).sort((i, j) => seen[i]! - seen[j]!);
  const widths: number[] = [];
  for (const [rank, i] of order.entries()) {
    const [before, after] = [seen[order[rank - 1]!], seen[order[rank + 1]!]];
    // An end of the range counts as a neighbour of a lone observation alone.
    const gaps =
      n === 1
        ? [seen[i]! - low, high - seen[i]!]
        : [before, after].map((other) => Math.abs((other ?? seen[i]!) - seen[i]!));
    widths[i] = Math.min(width, Math.max(width / Math.min(100, n + 2), ...gaps));
  }
  return { centres: [...seen, (low + high) / 2], widths: [...widths, width] };
}

function rangeDensity(range: Range, observations: readonly number[]): Density {
  const { low, high, at, numberAt } = axisOf(range);
  const { centres, widths } = kernelsOf(range, observations);
  const weights = weightsOf(observations.length);
  const standard = (k: number, place: number): number => (place - centres[k]!) / widths[k]!;
  const mass = (k: number, from: number, to: number): number => normalMass(standard(k, from), standard(k, to));
  // What of a normal distribution lies outside of the range is spread over what lies inside.
  const factors = weights.map((weight, k) => weight / mass(k, low, high));
  const densityAt = (k: number, x: number): number =>
    range.integer ? mass(k, at(x - 0.5), at(x + 0.5)) : normalDensity(standard(k, at(x))) / widths[k]!;
  return {
    draw: (random) => {
      const k = indexBy(weights, random);
      for (;;) {
        // A centre lies in the range, which is at least as wide as the distribution: at least a third of the draws do too.
        const place = centres[k]! + widths[k]! * random.normal();
        if (place >= low && place <= high) return numberAt(place);
      }
    },
    log: (x) => Math.log(factors.reduce((sum, factor, k) => sum + factor * densityAt(k, x as number), 0)),
  };
}

/** A choice's observation is a distribution that has itself once more than each of the values, which share a (n + 1)-th of one. */
function choiceDensity(choice: Choice, observations: Observations): Density {
  const values = choicesOf(choice);
  const indexOf = (value: Value | undefined): number => values.findIndex((other) => sameValue(value, other));
  const seen = observations.map(indexOf).filter((index) => index >= 0);
  const weights = weightsOf(seen.length);
  const share = 1 / (seen.length + 1);
  const probabilities = values.map((_, index) =>
    seen.reduce(
      (sum, other, i) => sum + (weights[i]! * (share + Number(other === index))) / (1 + values.length * share),
      weights.at(-1)! / values.length,
    ),
  );
  return {
    draw: (random) => values[indexBy(probabilities, random)]!,
    log: (value) => Math.log(probabilities[indexOf(value)]!),
  };
}

const isWithin = ({ min, max }: Range, x: Value | undefined): x is number =>
  typeof x === "number" && x >= min && x <= max;

/** An index drawn with these probabilities. */
function indexBy(probabilities: readonly number[], random: Rng): number {
  let left = random.uniform();
  const index = probabilities.findIndex((probability) => {
    left -= probability;
    return left < 0;
  });
  return index < 0 ? probabilities.length - 1 : index;
}
