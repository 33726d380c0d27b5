import { beforeAll, describe, expect, it } from "vitest";
import { type TrainingMethodName, trainingMethodNames, trainingMethods } from "../src/optim/methods/index.ts";
import { type SdeVariantName, sdeVariantNames } from "../src/sde/variants.ts";
import { along, dotOf, normOf, relativeError } from "./support/numbers.ts";
import { gradientOf, hessianTimes, pairs, point, thirdOf, whole } from "./support/quartic.ts";
import { covariance, crossCovariance, driftsOnQuartic, mean, slope } from "./support/sde.ts";
import { F64, SLOPE } from "./tolerances.ts";

type Vector = ArrayLike<number>;
const unit = (x: Vector) => Float64Array.from(x, (value) => value / normOf(x));
const RADII = [0.1, 0.05, 0.025, 0.0125];
const ALPHA = 0.2;
const v = unit([0.3, -0.7, 0.4, 0.5]);

type Drifts = Awaited<ReturnType<typeof driftsOnQuartic>>;
const driftsOf = (method: TrainingMethodName) => driftsOnQuartic(method, v, ALPHA);
let sam: Drifts;
beforeAll(async () => {
  sam = await driftsOf("sam");
});

/** h of every mini-batch, by equation. */
async function overBatches(drifts: Drifts, rho: number): Promise<Record<SdeVariantName, Float64Array[]>> {
  const each: Awaited<ReturnType<Drifts>>[] = [];
  for (const weights of pairs) each.push(await drifts(point, weights, rho));
  const lists = sdeVariantNames.map((name) => [name, each.map((of) => of[name])]);
  return Object.fromEntries(lists) as Record<SdeVariantName, Float64Array[]>;
}

const distance = (a: Vector, b: Vector) => normOf(along(a, b, -1));

describe("the drift terms", () => {
  it.each([0, 7])("of SAM on mini-batch %d are g + ρHĝ + (ρ²/2)T[ĝ,ĝ] in closed form", async (batch) => {
    const [weights, rho] = [pairs[batch]!, 0.3];
    const g = gradientOf(weights, point);
    const u = unit(g);
    const second = along(g, hessianTimes(weights, point, u), rho);
    const of = await sam(point, weights, rho);
    expect(relativeError(of.sgd, g)).toBeLessThan(F64);
    expect(relativeError(of.second, second)).toBeLessThan(F64);
    expect(relativeError(of.third, along(second, thirdOf(weights, point, u), rho ** 2 / 2))).toBeLessThan(F64);
    expect(relativeError(of.exact, gradientOf(weights, along(point, u, rho)))).toBeLessThan(F64);
  });

  it("of Eigen-SAM take w = ĝ + α·sign⟨g,v⟩·v⊥ for the direction", async () => {
    const [weights, rho] = [pairs[3]!, 0.3];
    const g = gradientOf(weights, point);
    const u = unit(g);
    const c = dotOf(u, v);
    const w = along(u, along(v, u, -c), ALPHA * Math.sign(c));
    const second = along(g, hessianTimes(weights, point, w), rho);
    const third = along(second, thirdOf(weights, point, w), rho ** 2 / 2);
    const of = await (await driftsOf("eigen-sam"))(point, weights, rho);
    expect(relativeError(of.third, third)).toBeLessThan(F64);
  });

  it.each(["sgd", "egr", "third-order"] as const)(
    "of %s, which does not perturb, are the method itself",
    async (name) => {
      const of = await (await driftsOf(name))(point, pairs[5]!, 0.3);
      expect(relativeError(of.third, of.exact)).toBeLessThan(F64);
    },
  );
});

describe("the drift's error in one step, exact expectation over mini-batches", () => {
  const perturbing = trainingMethodNames.filter((name) => trainingMethods[name].series?.factors.join() === "1,1");
  it.each(perturbing)("falls as ρ, ρ² and ρ³ for %s", async (method) => {
    const errors: Record<"sgd" | "second" | "third", number[]> = { sgd: [], second: [], third: [] };
    const drifts = await driftsOf(method);
    for (const rho of RADII) {
      const of = await overBatches(drifts, rho);
      for (const variant of ["sgd", "second", "third"] as const)
        errors[variant].push(distance(mean(of[variant]), mean(of.exact)));
    }
    expect(Math.abs(slope(RADII, errors.sgd) - 1)).toBeLessThan(SLOPE);
    expect(Math.abs(slope(RADII, errors.second) - 2)).toBeLessThan(SLOPE);
    expect(Math.abs(slope(RADII, errors.third) - 3)).toBeLessThan(SLOPE);
  });
});

describe("the covariance of SAM's direction", () => {
  it("is missed by ρ, ρ² and ρ³ by that of g, with the term in ρ, and by the third order's", async () => {
    const errors: number[][] = [[], [], [], []];
    for (const rho of RADII) {
      const { sgd: g, second, third, exact } = await overBatches(sam, rho);
      const Hu = second.map((h, k) => along(h, g[k]!, -1));
      const first = along(covariance(g), crossCovariance(g, Hu), 1);
      const withRho = along(first, crossCovariance(Hu, g), 1);
      [covariance(g), withRho, covariance(second), covariance(third)].forEach((guess, i) => {
        errors[i]!.push(distance(guess, covariance(exact)));
      });
    }
    [1, 2, 2, 3].forEach((order, i) => {
      expect(Math.abs(slope(RADII, errors[i]!) - order)).toBeLessThan(SLOPE);
    });
  });
});

describe("full-batch SAM against the ordinary differential equation, ρ ∝ η^⅓", () => {
  const TIME = 0.4;
  const ETAS = [0.01, 0.005, 0.0025, 0.00125];

  const discrete = async (eta: number, rho: number) => {
    let x: Float64Array = point;
    for (let k = 0; k < Math.round(TIME / eta); k++) x = along(x, (await sam(x, whole, rho)).exact, -eta);
    return x;
  };

  /** Runge and Kutta's fourth order. */
  const flow = async (rho: number, variant: "second" | "third") => {
    const dt = 0.01;
    const f = async (x: Vector) => (await sam(x, whole, rho))[variant];
    let x: Float64Array = point;
    for (let k = 0; k < Math.round(TIME / dt); k++) {
      const k1 = await f(x);
      const k2 = await f(along(x, k1, -dt / 2));
      const k3 = await f(along(x, k2, -dt / 2));
      const k4 = await f(along(x, k3, -dt));
      const total = k1.map((value, i) => value + 2 * k2[i]! + 2 * k3[i]! + k4[i]!);
      x = along(x, total, -dt / 6);
    }
    return x;
  };

  it("errs by η^⅔ in the second order and by η in the third", async () => {
    const errors: Record<"second" | "third", number[]> = { second: [], third: [] };
    for (const eta of ETAS) {
      const rho = 0.4 * (eta / 0.02) ** (1 / 3);
      const end = await discrete(eta, rho);
      for (const variant of ["second", "third"] as const) errors[variant].push(distance(await flow(rho, variant), end));
    }
    expect(Math.abs(slope(ETAS, errors.second) - 2 / 3)).toBeLessThan(SLOPE);
    expect(Math.abs(slope(ETAS, errors.third) - 1)).toBeLessThan(SLOPE);
  });
});
