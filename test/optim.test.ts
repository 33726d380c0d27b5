import { describe, expect, it } from "vitest";
import { constant, input } from "../src/graph/ops/source.ts";
import type { Tensor } from "../src/graph/tensor.ts";
import { trainingMethods } from "../src/optim/methods/index.ts";
import type { Method } from "../src/optim/method.ts";
import { sgd } from "../src/optim/sgd.ts";
import { mul } from "../src/graph/ops/elementwise.ts";
import { sum } from "../src/graph/ops/reduce.ts";
import { along, dotOf, normOf, relativeError, vector } from "./support/numbers.ts";
import { evaluate } from "./support/reference.ts";
import { runOn } from "./support/run.ts";
import { eigenSamStep, samStep, sgdStep, type StepHyper } from "./support/steps.ts";
import { COS_TABLE, F64, ORTHOGONAL } from "./tolerances.ts";

const N = 12;
const RHO = 0.3;
const scaled = (x: ArrayLike<number>, by: number) => Float64Array.from(x, (value) => value * by);
const unit = (x: ArrayLike<number>) => scaled(x, 1 / normOf(x));

const g0 = vector("g", [N]);
const v0 = unit(vector("v", [N]));

const [g, v] = [input("g", [N], "f64"), input("v", [N], "f64")];
const { "eigen-sam": eigenSam, sam } = trainingMethods;
const [mask, step] = [constant(1, [N], "f64"), constant(0, [], "f64")];
const perturbation = (
  values: { g: ArrayLike<number>; v: ArrayLike<number> },
  alpha: number,
  { series }: Pick<Method, "series"> = eigenSam,
) => evaluate([series!.ascent({ theta: g, g, v, mask, step }, { rho: RHO, alpha })], values)[0]!;

/** A unit vector at cosine c to ĝ. */
function atCosine(c: number): Float64Array {
  const ghat = unit(g0);
  const across = unit(along(v0, ghat, -dotOf(v0, ghat)));
  return along(scaled(ghat, c), across, Math.sqrt(1 - c * c));
}

describe("the perturbation of Eigen-SAM", () => {
  it.each([0.05, 0.2, 1])("has length ρ along ĝ and ρ√(1+α²(1−c²)) in all, at α = %d", (alpha) => {
    const eps = perturbation({ g: g0, v: v0 }, alpha);
    const c = Math.abs(dotOf(unit(g0), v0));
    expect(relativeError([dotOf(eps, unit(g0))], [RHO])).toBeLessThan(F64);
    expect(relativeError([normOf(eps)], [RHO * Math.sqrt(1 + alpha ** 2 * (1 - c ** 2))])).toBeLessThan(F64);
  });

  it("does not depend on the sign of v", () => {
    expect(perturbation({ g: g0, v: scaled(v0, -1) }, 0.2)).toEqual(perturbation({ g: g0, v: v0 }, 0.2));
  });

  it("differs from SAM's by a vector orthogonal to g", () => {
    const values = { g: g0, v: v0 };
    const difference = along(perturbation(values, 0.2), perturbation(values, 0.2, sam), -1);
    expect(normOf(difference)).toBeGreaterThan(0.01);
    expect(Math.abs(dotOf(difference, unit(g0)))).toBeLessThan(ORTHOGONAL);
  });

  it("is SAM's at α = 0", () => {
    const values = { g: g0, v: v0 };
    expect(relativeError(perturbation(values, 0), perturbation(values, 0, sam))).toBe(0);
    expect(relativeError(perturbation(values, 0, sam), scaled(unit(g0), RHO))).toBeLessThan(F64);
  });

  const table = [
    { c: 0.2, cosines: { 0.05: 0.248, 0.1: 0.295, 0.2: 0.385 } },
    { c: 0.5, cosines: { 0.05: 0.537, 0.1: 0.573, 0.2: 0.64 } },
  ];
  it.each(table)("turns towards v as tabulated, from cosine $c", ({ c, cosines }) => {
    for (const [alpha, expected] of Object.entries(cosines)) {
      const direction = atCosine(c);
      const eps = perturbation({ g: g0, v: direction }, Number(alpha));
      const cosine = dotOf(eps, direction) / normOf(eps);
      const formula = (c + Number(alpha) * (1 - c ** 2)) / Math.sqrt(1 + Number(alpha) ** 2 * (1 - c ** 2));
      expect(Math.abs(cosine - expected), `α = ${alpha}`).toBeLessThan(COS_TABLE);
      expect(relativeError([cosine], [formula])).toBeLessThan(F64);
    }
  });

  // c → 0 in the table: α/√(1+α²); at ⟨g,v⟩ = 0 itself the sign, and with it the turn, is zero.
  it.each([
    [0.05, 0.05],
    [0.1, 0.1],
    [0.2, 0.196],
  ])("at α = %d turns to cosine %d from a v almost orthogonal to g", (alpha, expected) => {
    const direction = atCosine(1e-6);
    const eps = perturbation({ g: g0, v: direction }, alpha);
    expect(Math.abs(dotOf(eps, direction) / normOf(eps) - expected)).toBeLessThan(COS_TABLE);
  });

  it("is zero where g is zero", () => {
    expect([...perturbation({ g: new Float64Array(N), v: v0 }, 0.2)].every((e) => e === 0)).toBe(true);
    expect([...perturbation({ g: new Float64Array(N), v: v0 }, 0.2, sam)].every((e) => e === 0)).toBe(true);
  });

  it.each([1, -1])("is SAM's where v is parallel to g (sign %d)", (direction) => {
    const values = { g: g0, v: scaled(unit(g0), direction) };
    expect(relativeError(perturbation(values, 0.2), perturbation(values, 0, sam))).toBeLessThan(F64);
  });

  it("is SAM's where g and v are exactly orthogonal", () => {
    const [ex, ey] = [new Float64Array(N).fill(2, 0, 1), new Float64Array(N).fill(1, 1, 2)];
    const eps = perturbation({ g: ex, v: ey }, 0.2);
    expect(relativeError(eps, scaled(unit(ex), RHO))).toBeLessThan(F64);
  });
});

describe("one optimizer step", () => {
  const hyper = { lr: 0.1, mu: 0.9, weightDecay: 0.05, rho: RHO, alpha: 0.2 } satisfies StepHyper;
  const curvature = Float64Array.from({ length: N }, (_, i) => 0.5 + i);
  const values = { theta: vector("theta", [N]), momentum: vector("momentum", [N]), v: v0, g: g0 };
  const [theta, momentum] = [input("theta", [N], "f64"), input("momentum", [N], "f64")];
  /** f(θ) = ½ Σ aᵢθᵢ², so ∇f = a·θ. */
  const f = (x: Tensor) => mul(0.5, sum(mul(constant(curvature, [N], "f64"), mul(x, x))));
  const gradient = (x: ArrayLike<number>) => curvature.map((a, i) => a * x[i]!);

  /** PyTorch's update: d = g + wd·θ; m = μ·m + d; θ −= η·m. */
  function torchSgd(descent: ArrayLike<number>): { theta: Float64Array; momentum: Float64Array } {
    const d = along(descent, values.theta, hyper.weightDecay);
    const next = along(d, values.momentum, hyper.mu);
    return { theta: along(values.theta, next, -hyper.lr), momentum: next };
  }

  const here = gradient(values.theta);
  const samPoint = along(values.theta, unit(here), RHO);
  const c = dotOf(unit(here), v0);
  const eigenPoint = along(samPoint, along(v0, unit(here), -c), RHO * hyper.alpha * Math.sign(c));
  const steps = [
    { name: "sgd", step: sgdStep(f, { theta, momentum }, hyper), at: values.theta },
    { name: "sam", step: samStep(f, { theta, momentum }, hyper), at: samPoint },
    { name: "eigen-sam", step: eigenSamStep(f, { theta, momentum }, v, hyper), at: eigenPoint },
  ];

  it.each(steps)("of $name descends PyTorch's SGD with the gradient at its point", async ({ step, at }) => {
    const { theta: next, momentum: nextMomentum, loss, gradNorm } = step;
    const results = await runOn({ next, nextMomentum, loss, gradNorm }, values);
    const expected = torchSgd(gradient(at));
    expect(relativeError(results.next, expected.theta)).toBeLessThan(F64);
    expect(relativeError(results.nextMomentum, expected.momentum)).toBeLessThan(F64);
    expect(relativeError(results.loss, [dotOf(here, values.theta) / 2])).toBeLessThan(F64);
    expect(relativeError(results.gradNorm, [normOf(here)])).toBeLessThan(F64);
  });

  it("of sgd alone takes any gradient", () => {
    const next = sgd({ theta, momentum, g, ...hyper });
    const [newTheta, newMomentum] = evaluate([next.theta, next.momentum], values);
    const expected = torchSgd(g0);
    expect(relativeError(newTheta!, expected.theta)).toBeLessThan(F64);
    expect(relativeError(newMomentum!, expected.momentum)).toBeLessThan(F64);
  });
});
