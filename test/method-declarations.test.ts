import { describe, expect, it } from "vitest";
import { constant } from "../src/graph/ops/source.ts";
import type { TrainingMethodName } from "../src/optim/methods/index.ts";
import type { Method } from "../src/optim/method.ts";
import { evaluate } from "./support/reference.ts";

/** Loaded by each test, so that a declaration that is refused fails it. */
const methods = async (): Promise<Readonly<Record<string, Method>>> =>
  (await import("../src/optim/methods/index.ts")).trainingMethods;

const rho = { default: 0.05, about: "perturbation radius ρ", min: 0, symbol: "ρ" };
const alpha = { default: 0.2, about: "alignment strength α", min: 0, symbol: "α" };

/** θ = (2, ½), g = (3, −4), v = (0, 1), ρ = 0.1, α = 0.2: ĝ = (0.6, −0.8), v⊥ = (0.48, 0.36), θg = (6, −2). */
const expected: Readonly<Record<TrainingMethodName, readonly [hyper: object, factors: number[], ascent: number[]]>> = {
  sgd: [{}, [0, 0], [0, 0]],
  sam: [{ rho }, [1, 1], [0.06, -0.08]],
  usam: [{ rho }, [1, 1], [0.3, -0.4]],
  asam: [{ rho: { ...rho, default: 0.5 } }, [1, 1], [1.2 / Math.sqrt(40), -0.1 / Math.sqrt(40)]],
  "reverse-sam": [{ rho }, [1, 1], [-0.06, 0.08]],
  egr: [{ rho }, [1, 0], [0.6, -0.8]],
  "third-order": [{ rho }, [0, 1], [0.6, -0.8]],
  "eigen-sam": [{ rho, alpha }, [1, 1], [0.0504, -0.0872]],
};

describe.each(Object.entries(expected))("%s", (name, [hyper, factors, ascent]) => {
  it("declares its name, its hyperparameters and its need of v", async () => {
    expect((await methods())[name]).toMatchObject({ kind: "method", name, state: {}, series: { factors } });
    expect((await methods())[name]!.hyper).toEqual(hyper);
    expect((await methods())[name]!.needs).toEqual(name === "eigen-sam" ? { v: true } : {});
    expect((await methods())[name]!.series!.factors).toEqual(factors);
  });

  it("has its perturbation", async () => {
    const vector = (...values: number[]) => constant(Float64Array.from(values), [2], "f64");
    const [theta, g, v, mask] = [vector(2, 0.5), vector(3, -4), vector(0, 1), vector(1, 1)];
    const at = { theta, g, v, mask, step: constant(0, [], "f64") };
    const [values] = evaluate([(await methods())[name]!.series!.ascent(at, { rho: 0.1, alpha: 0.2 })], {});
    for (const [i, x] of ascent.entries()) expect(values![i]).toBeCloseTo(x, 14);
  });
});

it("are all there is", async () => {
  expect(Object.keys(await methods())).toEqual(Object.keys(expected));
});
