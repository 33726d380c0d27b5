import { subscript } from "./numbers.ts";

/** A direction through θ, as it is called in a sentence and on an axis. */
export interface Direction {
  readonly text: string;
  readonly symbol: string;
}

const named: Readonly<Record<string, Direction>> = {
  g: { text: "the unit gradient ĝ", symbol: "ĝ" },
  random: { text: "a filter-normalized random direction", symbol: "r" },
};

/** The direction of a name in LossSlice.directions; v1, v2, … are eigenvectors. */
export function directionOf(name: string): Direction {
  const vector = name.replace(/^v(\d+)$/, (_, index) => `v${subscript(Number(index))}`);
  return named[name] ?? { text: vector, symbol: vector };
}

/** Both directions of a plane; two random ones get different symbols. */
export function planeOf([first, second]: readonly string[]): readonly [Direction, Direction] {
  const [a, b] = [directionOf(first!), directionOf(second!)];
  if (first !== second) return [a, b];
  return [
    { ...a, symbol: `${a.symbol}₁` },
    { ...b, text: `another, as ${b.symbol}₂`, symbol: `${b.symbol}₂` },
  ];
}
