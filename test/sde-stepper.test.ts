import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { defineDataset } from "../src/data/entry.ts";
import { createStepper, type Stepper } from "../src/experiments/sde/advance.ts";
import { plannedRuns, sdeSettingsOf, type SdeRunConfig } from "../src/experiments/sde/config.ts";
import { createMeter } from "../src/experiments/sde/measure.ts";
import { loadProblem, type Problem } from "../src/experiments/sde/problem.ts";
import type { PathName } from "../src/experiments/sde/processes.ts";
import { initialProcessState, type ProcessState } from "../src/experiments/sde/state.ts";
import { unpack } from "../src/nn/layout.ts";
import { maskOf, type Method } from "../src/optim/method.ts";
import { type TrainingMethodName, trainingMethods } from "../src/optim/methods/index.ts";
import { drawIndices } from "../src/sde/draw.ts";
import type { SdeVariantName } from "../src/sde/variants.ts";
import { builtIn, extended } from "../src/train/registry.ts";
import { rng } from "../src/util/rng.ts";
import { along, normOf, relativeError } from "./support/numbers.ts";
import { directionOf, type MethodValues, type Points, tanhReference } from "./support/sde-reference.ts";

/** Pictures of 1×1×3 pixels; more of them than the measurement takes at a time, and not a multiple of that. */
const FEATURES = 3;
const [TRAIN, TEST] = [260, 252];
const random = rng(11, "pixels");
const part = (count: number) => ({
  x: Uint8Array.from({ length: count * FEATURES }, () => Math.floor(256 * random.uniform())),
  y: Int32Array.from({ length: count }, () => Math.floor(3 * random.uniform())),
  count,
});
const [train, test] = [part(TRAIN), part(TEST)];
const registry = extended(builtIn, [
  defineDataset({
    name: "pixels",
    summary: "three random pixels",
    load: () => ({
      name: "pixels",
      inputShape: [1, 1, FEATURES],
      targets: { kind: "labels", classes: 3 },
      mean: [0.4],
      std: [0.2],
      train,
      test,
    }),
  }),
]);

const SEED = 7;
const [ETA, RHO, SUBSTEPS, BATCHES, BATCH] = [0.3, 0.4, 2, 3, 5];
const settings = [
  "dtype=f64",
  "data.name=pixels",
  `data.train=${TRAIN}`,
  `data.test=${TEST}`,
  `data.batch=${BATCH}`,
  "model.width=4",
  `method.rho=${RHO}`,
  "method.every=3",
  "method.iterations=2",
  `sde.eta=${ETA}`,
  `sde.substeps=${SUBSTEPS}`,
  `sde.batches=${BATCHES}`,
  "sde.replicates=3",
  "measure.curvatureImages=255",
];

const configOf = (more: readonly string[] = []): SdeRunConfig =>
  plannedRuns(sdeSettingsOf(registry).resolve("", [...settings, ...more]), [SEED])[0]!.config;

const reference = tanhReference({ features: FEATURES, hidden: 4, classes: 3 });

/** The examples as the network sees them: pixel/255. */
const pointsOf = (
  { x, y, count }: typeof train,
  indices: ArrayLike<number> = Array.from({ length: count }, (_, i) => i),
): Points => ({
  x: Array.from(indices, (i) =>
    Float64Array.from(x.subarray(i * FEATURES, (i + 1) * FEATURES), (pixel) => pixel / 255),
  ),
  y: Array.from(indices, (i) => y[i]!),
});

/** A vector in PyTorch's order of elements. */
const inOrder = ({ model: { parameters } }: Problem, flat: Float64Array) =>
  Float64Array.from(Object.values(unpack(parameters, flat)).flatMap((values) => [...values]));
const batchOf = (...labels: readonly (string | number)[]) =>
  pointsOf(train, drawIndices(rng(SEED, "sde", ...labels), TRAIN, BATCH));

/** What each path is: its h, whether it is an equation, and the label of its mini-batches and noise. */
const PATHS: Partial<Record<PathName, readonly [variant: SdeVariantName, continuous: boolean, stream: string]>> = {
  discrete: ["exact", false, "discrete"],
  repeat: ["exact", false, "repeat"],
  repeat2: ["exact", false, "repeat2"],
  second: ["second", true, "sde"],
  third: ["third", true, "sde"],
  sgd: ["sgd", true, "sde"],
  exact: ["exact", true, "sde"],
};

/** One step of a path by its definition. */
function step(method: TrainingMethodName, path: PathName, theta: Float64Array, at: number, values: MethodValues) {
  const [variant, continuous, stream] = PATHS[path]!;
  const [r, M] = continuous ? [SUBSTEPS, BATCHES] : [1, 1];
  let here = theta;
  for (let sub = 0; sub < r; sub++) {
    const noise = rng(SEED, "sde", stream, "noise", at, sub);
    const xi = Array.from({ length: M }, () => noise.normal());
    const hs = xi.map((_, j) =>
      directionOf(reference, method, variant, here, batchOf(stream, "batch", at, sub, j), values),
    );
    const mean = hs.reduce((sum, h) => along(sum, h, 1 / M), new Float64Array(theta.length));
    // ζ = Σ ξⱼ(hⱼ − h̄)/√M, and the noise of a step of length η/r is √(η·η/r)·ζ.
    const zeta = hs.reduce(
      (sum, h, j) => along(sum, along(h, mean, -1), xi[j]! / Math.sqrt(M)),
      new Float64Array(theta.length),
    );
    here = along(along(here, mean, -ETA / r), zeta, ETA / Math.sqrt(r));
  }
  return here;
}

/** The methods that have equations. */
const withSdes = Object.values<Method>(trainingMethods)
  .filter(({ series }) => series !== undefined)
  .map(({ name }) => name as TrainingMethodName);

/** Differences of sixth order leave about 1e-10 of h. */
const TOLERANCE = 1e-8;
const STEPS = [4, 5];

async function expectSteps(method: TrainingMethodName, paths: readonly PathName[], stepper: Stepper, problem: Problem) {
  const { mask: counts = () => true } = (trainingMethods[method] as Method).needs;
  const mask = inOrder(problem, Float64Array.from(maskOf(counts, problem.model.parameters)));
  for (const path of paths) {
    const state = initialProcessState(problem, SEED);
    for (const at of STEPS) {
      const [before, v] = [inOrder(problem, state.theta as Float64Array), inOrder(problem, state.v as Float64Array)];
      await stepper.advance(path, state, at);
      const after = inOrder(problem, state.theta as Float64Array);
      const expected = step(method, path, before, at, { rho: RHO, alpha: 0.2, v, mask });
      expect(
        relativeError(along(after, before, -1), along(expected, before, -1)),
        `${method} ${path} ${at}`,
      ).toBeLessThan(TOLERANCE);
    }
  }
}

describe("a step of every path is that of an independent float64 reference", () => {
  let problem: Problem;
  let stepper: Stepper;
  const config = configOf();
  beforeAll(async () => {
    problem = await loadProblem(config, registry);
    stepper = await createStepper(config, problem);
  });
  afterAll(() => stepper.release());

  it.each<PathName>(["discrete", "repeat", "repeat2", "second", "third", "sgd", "exact"])("SAM: %s", async (path) => {
    await expectSteps("sam", [path], stepper, problem);
  });

  it("and so is the error of each drift", async () => {
    const state = initialProcessState(problem, SEED);
    const theta = inOrder(problem, state.theta as Float64Array);
    const drift = (variant: "exact" | "second" | "third" | "sgd") =>
      Array.from({ length: BATCHES }, (_, j) =>
        directionOf(reference, "sam", variant, theta, batchOf("drift error", 20, j), { rho: RHO, alpha: 0, v: theta }),
      ).reduce((sum, h) => along(sum, h, 1));
    const exact = drift("exact");
    const errors = await stepper.driftErrors(state, 20);
    expect(Object.keys(errors).sort()).toEqual(["second", "sgd", "third"]);
    for (const variant of ["second", "third", "sgd"] as const)
      expect(errors[variant]).toBeCloseTo(normOf(along(drift(variant), exact, -1)) / normOf(exact), 7);
  });

  it.each(withSdes.filter((name) => name !== "sam"))("%s", { timeout: 30_000 }, async (method) => {
    const own = configOf([`method.name=${method}`, 'sde.processes=["discrete","third"]']);
    const other = await loadProblem(own, registry);
    const steps = await createStepper(own, other);
    await expectSteps(method, ["discrete", "third"], steps, other);
    await steps.release();
  });

  it("estimates v at its steps, on a mini-batch of the path's stream", async () => {
    const own = configOf(["method.name=eigen-sam", 'sde.processes=["discrete"]']);
    const other = await loadProblem(own, registry);
    const steps = await createStepper(own, other);
    const state = initialProcessState(other, SEED);
    const theta = inOrder(other, state.theta as Float64Array);
    let v = inOrder(other, state.v as Float64Array);
    await steps.advance("discrete", state, 6);
    for (let i = 0; i < 2; i++) {
      const Hv = reference.hessianTimes(theta, v, batchOf("discrete", "refresh", 6));
      v = Hv.map((value) => value / normOf(Hv));
    }
    expect(relativeError(inOrder(other, state.v as Float64Array), v)).toBeLessThan(TOLERANCE);
    const kept = state.v.slice();
    await steps.advance("discrete", state, 7);
    expect(state.v).toEqual(kept);
    await steps.release();
  });
});

describe("a measurement is that of the reference", () => {
  it("on all examples, part by part, and λ₁ on the first of them", async () => {
    const config = configOf();
    const problem = await loadProblem(config, registry);
    const meter = await createMeter(config, problem);
    const state: ProcessState = initialProcessState(problem, SEED);
    // Larger weights: at the start all answers are the same.
    for (let i = 0; i < state.theta.length; i++) state.theta[i]! *= 4;
    const theta = inOrder(problem, state.theta as Float64Array);
    const measured = await meter.measure(state, 30);
    const [onTrain, onTest] = [reference.score(theta, pointsOf(train)), reference.score(theta, pointsOf(test))];
    const some = pointsOf(
      train,
      Array.from({ length: 255 }, (_, i) => i),
    );
    const lambda = reference.topEigenvalue(theta, some);
    expect(measured.trainLoss).toBeCloseTo(onTrain.loss, 12);
    expect(measured.gradNorm).toBeCloseTo(normOf(onTrain.gradient), 12);
    expect(measured.norm).toBeCloseTo(normOf(theta), 12);
    expect(measured.testLoss).toBeCloseTo(onTest.loss, 12);
    expect(measured.testAccuracy).toBeCloseTo(onTest.accuracy, 12);
    expect(Math.abs(measured.eigenvalue / lambda - 1)).toBeLessThan(1e-5);
    expect(measured.residual).toBeLessThan(1e-3);
    await meter.release();
  });

  it("takes images as pixel/255, or normalized where it is asked to", async () => {
    const [raw, normalized] = await Promise.all(
      ["raw", "normalized"].map((inputs) => loadProblem(configOf([`data.inputs=${inputs}`]), registry)),
    );
    const pixel = train.x[5]! / 255;
    expect(raw!.train.x[5]).toBeCloseTo(pixel, 14);
    expect(normalized!.train.x[5]).toBeCloseTo((pixel - 0.4) / 0.2, 14);
  });
});
