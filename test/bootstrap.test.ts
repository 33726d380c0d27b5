import { describe, expect, it } from "vitest";
import {
  gramOf,
  meanGram,
  resampledDistance,
  signedRoot,
  squaredDistance,
} from "../src/experiments/sde/report/squared-distance.ts";
import { normalBelow, percentileInterval, resamples } from "../src/util/bootstrap.ts";
import { rng, type Rng } from "../src/util/rng.ts";
import { summarize } from "../src/util/statistics.ts";

/** Differences of n seeds at `times` moments: a mean, noise of its own in each seed, and noise of each moment. */
const differences = (random: Rng, n: number, mean: number, spread: number, times = 6) =>
  Array.from({ length: n }, () => {
    const own = random.normal();
    return Array.from({ length: times }, () => mean + spread * (0.8 * own + 0.6 * random.normal()));
  });

describe("the normal distribution", () => {
  it.each([
    [0, 0.5],
    [-1, 0.158655254],
    [-1.959963985, 0.025],
    [-3, 0.00134989803],
  ])("has below %f the part %f", (z, part) => {
    expect(normalBelow(z)).toBeCloseTo(part, 6);
  });
});

describe("resamples", () => {
  it("draw every observation once on average, as binomial numbers with n draws in all", () => {
    const drawn = resamples(4, 20_000, rng(1, "counts"));
    expect(drawn.every((counts) => counts.reduce((a, b) => a + b, 0) === 4)).toBe(true);
    for (let i = 0; i < 4; i++) {
      const { mean, std } = summarize(drawn.map((counts) => counts[i]!));
      expect(Math.abs(mean - 1)).toBeLessThan(0.03);
      // A binomial number of n draws with probability 1/n has the variance 1 − 1/n.
      expect(Math.abs(std! ** 2 - 0.75)).toBeLessThan(0.03);
    }
  });
});

describe("a percentile interval", () => {
  it("of a mean is Student's, nearly, for few observations as for many", () => {
    for (const n of [5, 20]) {
      const random = rng(2, "sample", n);
      const sample = Array.from({ length: n }, () => random.normal());
      const { mean, ci95 } = summarize(sample);
      const means = resamples(n, 20_000, random).map((counts) =>
        sample.reduce((s, x, i) => s + (x * counts[i]!) / n, 0),
      );
      const [low, high] = percentileInterval(means, n)!;
      // A resampled mean is nearly normal; of five it has shorter tails.
      expect((high - low) / (2 * ci95!)).toBeGreaterThan(n === 5 ? 0.8 : 0.96);
      expect((high - low) / (2 * ci95!)).toBeLessThan(1.04);
      expect(Math.abs((low + high) / 2 - mean)).toBeLessThan(0.25 * ci95!);
    }
  });

  it("is none for fewer than five", () => {
    expect(percentileInterval([1, 2, 3], 4)).toBeUndefined();
  });
});

describe("a squared distance", () => {
  it("is the sum over pairs of different seeds, by definition", () => {
    const rows = [
      [1, 2],
      [3, -1],
      [0, 4],
    ];
    // ⟨D₁,D₂⟩ = (3 − 2)/2, ⟨D₁,D₃⟩ = 8/2, ⟨D₂,D₃⟩ = −4/2.
    expect(squaredDistance(gramOf(rows))).toBeCloseTo((0.5 + 4 - 2) / 3, 14);
    expect(squaredDistance(meanGram([gramOf(rows), gramOf(rows.map((row) => row.map((x) => 2 * x)))]))).toBeCloseTo(
      ((0.5 + 4 - 2) / 3) * 2.5,
      14,
    );
    expect(squaredDistance(gramOf([[3, 4]]))).toBe(12.5);
    expect([signedRoot(9), signedRoot(-4), signedRoot(0)]).toEqual([3, -2, 0]);
  });

  it("of a resample is that of its rows, copies and all, less what copies add; on average over all resamples it is the distance", () => {
    const rows = differences(rng(3, "rows"), 3, 1, 1);
    const gram = gramOf(rows);
    const diagonal = [0, 1, 2].reduce((sum, i) => sum + gram[i]![i]! / 3, 0);
    let total = 0;
    for (let a = 0; a < 3; a++)
      for (let b = 0; b < 3; b++)
        for (let c = 0; c < 3; c++) {
          const drawn = [a, b, c];
          const counts = [0, 1, 2].map((i) => drawn.filter((x) => x === i).length);
          let byHand = 0;
          for (const [at, i] of drawn.entries())
            for (const [other, j] of drawn.entries()) if (at !== other) byHand += gram[i]![j]!;
          const got = resampledDistance(gram, counts);
          expect(got).toBeCloseTo(byHand / 6 - (diagonal - squaredDistance(gram)) / 3, 12);
          total += got / 27;
        }
    expect(total).toBeCloseTo(squaredDistance(gram), 12);
  });

  it("has the true one as its mean, whatever the noise, where the square of the mean is far too large", () => {
    const random = rng(4, "unbiased");
    const found = Array.from({ length: 2000 }, () => gramOf(differences(random, 5, 0.3, 2)));
    const { mean, ci95 } = summarize(found.map(squaredDistance));
    expect(Math.abs(mean - 0.09)).toBeLessThan(2 * ci95!);
    const naive = summarize(found.map((gram) => gram.flatMap((row) => [...row]).reduce((a, b) => a + b, 0) / 25)).mean;
    expect(naive).toBeGreaterThan(0.6);
  });
});

describe("the interval of the difference of two distances", () => {
  /** How often it holds the truth, and how often it excludes zero. */
  function trials(n: number, [mean2, mean3]: readonly [number, number], [spread2, spread3]: readonly [number, number]) {
    const random = rng(5, "trials", n, mean2, mean3);
    const times = 400;
    let [held, marked] = [0, 0];
    for (let trial = 0; trial < times; trial++) {
      const [second, third] = [
        gramOf(differences(random, n, mean2, spread2)),
        gramOf(differences(random, n, mean3, spread3)),
      ];
      const values = resamples(n, 400, random).map(
        (counts) => signedRoot(resampledDistance(second, counts)) - signedRoot(resampledDistance(third, counts)),
      );
      const [low, high] = percentileInterval(values, n)!;
      const truth = Math.abs(mean2) - Math.abs(mean3);
      held += Number(low <= truth && truth <= high) / times;
      marked += Number(low > 0 || high < 0) / times;
    }
    return { held, marked };
  }

  it("holds the truth 95 times in a hundred, where two paths err to either side of a third", () => {
    const { held } = trials(20, [0.5, -0.5], [1, 1]);
    // ±0.03 is three standard deviations of 400 trials.
    expect(held).toBeGreaterThan(0.92);
    expect(held).toBeLessThan(0.98);
  });

  it("marks no order because it has less noise, where neither is off", () => {
    expect(trials(20, [0, 0], [2, 0.5]).marked).toBeLessThan(0.05);
  });

  it("marks what is there, and holds it", () => {
    const { held, marked } = trials(20, [1, 0.2], [0.5, 0.5]);
    expect(marked).toBeGreaterThan(0.95);
    expect(held).toBeGreaterThan(0.92);
  });
});
