/**
 * Squared distances between paths, of which chance is no part. With Dᵢ(t) the difference of two paths of seed i, the square of its mean over n
 * seeds, averaged over time, is too large by variance/n. The products of *different* seeds have no such bias:
 *
 *     Q = (1/(n(n−1))) Σ_{i≠j} ⟨Dᵢ, Dⱼ⟩,   ⟨a, b⟩ the mean over time of a·b,
 *
 * has the mean-square over time of E[D] as its expectation, whatever the variance (a U-statistic, Hoeffding 1948). It is linear in the
 * matrix ⟨Dᵢ, Dⱼ⟩, so resampling seeds needs no path.
 */
export type Gram = readonly Float64Array[];

/** ⟨Dᵢ, Dⱼ⟩ of each two seeds; differences are rows of equal length, one per seed. */
export const gramOf = (differences: readonly (readonly number[])[]): Gram =>
  differences.map((a) => Float64Array.from(differences, (b) => a.reduce((sum, x, t) => sum + x * b[t]!, 0) / a.length));

/** The mean of matrices of one size. */
export const meanGram = (grams: readonly Gram[]): Gram =>
  grams[0]!.map((row, i) => row.map((_, j) => grams.reduce((sum, gram) => sum + gram[i]![j]!, 0) / grams.length));

/** Q; for one seed, where there is no such estimate, the square with chance in it. */
export function squaredDistance(gram: Gram): number {
  const n = gram.length;
  if (n === 1) return gram[0]![0]!;
  let sum = 0;
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) sum += gram[i]![j]!;
  return (2 * sum) / (n * (n - 1));
}

/**
 * Q of a resample in which seed i stands wᵢ times, copies counting as seeds of their own. Products of copies raise it by (⟨D,D⟩ − Q)/n on
 * average, ⟨D,D⟩ the mean over seeds; this is taken off, so that the mean over resamples is Q.
 */
export function resampledDistance(gram: Gram, counts: ArrayLike<number>): number {
  const n = gram.length;
  let [sum, diagonal] = [0, 0];
  for (let i = 0; i < n; i++) {
    const row = gram[i]!;
    diagonal += row[i]! / n;
    const count = counts[i]!;
    if (count === 0) continue;
    let inner = ((count - 1) / 2) * row[i]!;
    for (let j = 0; j < i; j++) inner += counts[j]! * row[j]!;
    sum += count * inner;
  }
  return (2 * sum) / (n * (n - 1)) - (diagonal - squaredDistance(gram)) / n;
}

/** The distance of a squared one, in the units of the paths; below zero where that is. */
export const signedRoot = (square: number): number => Math.sign(square) * Math.sqrt(Math.abs(square));
