import { expect, it } from "vitest";
import { constant } from "../src/graph/ops/source.ts";
import type { TrainingMethodName } from "../src/optim/methods/index.ts";
import type { Method } from "../src/optim/method.ts";
import { evaluate } from "./support/reference.ts";

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

const vector = (...values: number[]) => constant(Float64Array.from(values), [2], "f64");
const point = { theta: vector(2, 0.5), g: vector(3, -4), v: vector(0, 1), mask: vector(1, 1) };

it("the methods are declared as published", async () => {
  // Loaded here, so that a declaration that is refused fails the test.
  const { trainingMethods } = await import("../src/optim/methods/index.ts");
  expect(Object.keys(trainingMethods)).toEqual(Object.keys(expected));
  for (const [name, { kind, name: own, hyper, state, needs, series }] of Object.entries<Method>(trainingMethods)) {
    const [hypers, factors, ascent] = expected[name as TrainingMethodName];
    expect([kind, own, hyper, state, needs]).toEqual([
      ...["method", name, hypers, {}],
      name === "eigen-sam" ? { v: true } : {},
    ]);
    expect(series!.factors, name).toEqual(factors);
    const perturbation = series!.ascent({ ...point, step: constant(0, [], "f64") }, { rho: 0.1, alpha: 0.2 });
    const [values] = evaluate([perturbation], {});
    expect([...values!], name).toEqual(ascent.map((x) => expect.closeTo(x, 14)));
  }
});
