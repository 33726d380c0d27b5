import { describe, expect, it } from "vitest";
import { input } from "../src/graph/ops/source.ts";
import { accumulated, eulerMaruyama } from "../src/sde/euler-maruyama.ts";
import { rng } from "../src/util/rng.ts";
import { along, relativeError, vector } from "./support/numbers.ts";
import { evaluate } from "./support/reference.ts";
import { covariance, mean } from "./support/sde.ts";
import { F64, SIGMAS } from "./tolerances.ts";

const D = 3;
const ETA = 0.1;
/** Directions of 15 mini-batches. */
const hs = Array.from({ length: 15 }, (_, j) => vector(`h${j}`, [D]));
const hBar = mean(hs);
const cov = covariance(hs);

type Vector = ArrayLike<number>;

/** One step from zero over mini-batches with directions hⱼ and normal numbers ξⱼ. */
function stepOver(directions: readonly Vector[], xi: readonly number[], dt: number): Float64Array {
  const sums = { h: new Float64Array(D), xiH: new Float64Array(D) };
  directions.forEach((h, j) => {
    for (let i = 0; i < D; i++) {
      sums.h[i]! += h[i]!;
      sums.xiH[i]! += xi[j]! * h[i]!;
    }
  });
  const theta = new Float64Array(D);
  eulerMaruyama(theta, sums, { eta: ETA, dt, xi });
  return theta;
}

/** Every element of a sampled covariance of normal vectors, in standard deviations of its own sampling error. */
function deviations(sample: readonly Vector[], expected: Vector): number[] {
  const got = covariance(sample);
  return Array.from(expected, (c, at) => {
    const [i, j] = [Math.floor(at / D), at % D];
    const spread = Math.sqrt((expected[i * D + i]! * expected[j * D + j]! + c ** 2) / sample.length);
    return Math.abs(got[at]! - c) / spread;
  });
}

const scaled = (x: Vector, by: number) => Float64Array.from(x, (value) => value * by);
const SAMPLES = 20_000;

describe("an Euler–Maruyama step", () => {
  it("moves by −dt·h̄ where there is no noise", () => {
    const zeros = hs.map(() => 0);
    expect(relativeError(stepOver(hs, zeros, 0.05), scaled(hBar, -0.05))).toBeLessThan(F64);
  });

  it("has noise of covariance η·dt·Cov(h), within sampling error", () => {
    const random = rng(1, "noise");
    const sample = Array.from({ length: SAMPLES }, () =>
      stepOver(
        hs,
        hs.map(() => random.normal()),
        ETA,
      ),
    );
    expect(relativeError(mean(sample), scaled(hBar, -ETA))).toBeLessThan(0.05);
    for (const sigmas of deviations(sample, scaled(cov, ETA ** 2))) expect(sigmas).toBeLessThan(SIGMAS);
  });

  it.each([1, 2, 4])("scales its noise as √(η·dt) for dt = η/%d", (r) => {
    const random = rng(2, "scale");
    const xi = hs.map(() => random.normal());
    const noise = (dt: number) => along(stepOver(hs, xi, dt), hBar, dt);
    expect(relativeError(noise(ETA / r), scaled(noise(ETA), 1 / Math.sqrt(r)))).toBeLessThan(F64);
  });

  it.each([1, 2, 4])("adds up to the covariance η²·Cov(h) of a discrete step over %d of them", (r) => {
    const random = rng(3, "total", r);
    const sample = Array.from({ length: SAMPLES }, () =>
      Array.from({ length: r }, () =>
        stepOver(
          hs,
          hs.map(() => random.normal()),
          ETA / r,
        ),
      ).reduce((total, step) => along(total, step, 1)),
    );
    for (const sigmas of deviations(sample, scaled(cov, ETA ** 2))) expect(sigmas).toBeLessThan(SIGMAS);
  });

  it.each([1, 2])("over M drawn mini-batches has covariance η·dt·(1 − (1 − 1/r)/M)·Cov(h), r = %d", (r) => {
    const random = rng(4, "drawn", r);
    const M = 3;
    const dt = ETA / r;
    const sample = Array.from({ length: SAMPLES }, () => {
      const drawn = Array.from({ length: M }, () => hs[Math.floor(hs.length * random.uniform())]!);
      return stepOver(
        drawn,
        drawn.map(() => random.normal()),
        dt,
      );
    });
    const expected = scaled(cov, ETA * dt * (1 - (1 - 1 / r) / M));
    // Products of ξ and drawn directions have heavier tails than the normal distribution.
    for (const sigmas of deviations(sample, expected)) expect(sigmas).toBeLessThan(1.5 * SIGMAS);
  });

  it("with one mini-batch is the discrete step", () => {
    expect(relativeError(stepOver([hs[0]!], [1.7], ETA), scaled(hs[0]!, -ETA))).toBeLessThan(F64);
  });

  it("sums in the graph what it needs of every mini-batch", () => {
    const [h, xi] = [input("h", [D], "f64"), input("xi", [], "f64")];
    const sums = { h: input("sumH", [D], "f64"), xiH: input("sumXiH", [D], "f64") };
    const next = accumulated(sums, h, xi);
    const feeds = { h: hs[0]!, xi: Float64Array.of(-2), sumH: hs[1]!, sumXiH: hs[2]! };
    const [nextH, nextXiH] = evaluate([next.h, next.xiH], feeds);
    expect(relativeError(nextH!, along(hs[1]!, hs[0]!, 1))).toBeLessThan(F64);
    expect(relativeError(nextXiH!, along(hs[2]!, hs[0]!, -2))).toBeLessThan(F64);
  });
});
