/** The place of the first number that is infinite or not a number; -1 where there is none. */
export function firstNotFinite(values: ArrayLike<number>): number {
  // A difference with itself is 0 of finite numbers alone; a plain loop, because θ may have millions.
  for (let i = 0; i < values.length; i++) if (values[i]! - values[i]! !== 0) return i;
  return -1;
}
