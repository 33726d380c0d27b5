import { beforeAll, describe, expect, it } from "vitest";
import { crossFitted } from "../src/curvature/cross-fit.ts";
import { type CurvatureRequest, measureProblem, type Progress } from "../src/curvature/measure.ts";
import { problemFor } from "../src/curvature/problem.ts";
import type { CurvatureResult } from "../src/curvature/result.ts";
import { smoothedDensity, spectralQuadratures } from "../src/spectrum/density.ts";
import { blockOf } from "../src/spectrum/operator.ts";
import { renyiSharpness } from "../src/spectrum/renyi.ts";
import { blockTraces, frobeniusNorm, hutchPlusPlus, signProbes } from "../src/spectrum/trace.ts";
import { modelFor } from "../src/train/task.ts";
import { rng } from "../src/util/rng.ts";
import { CLASSES, FEATURES, HIDDEN, handNet, scoreByHand } from "./support/by-hand.ts";
import { densePairs, matrixLoss, operatorOf } from "./support/curvature.ts";
import { dotOf, normOf, relativeError, uniform } from "./support/numbers.ts";
import { losses } from "../src/nn/losses.ts";
import { networkOf } from "../src/models/entry.ts";
import { DENSE, F32, F64 } from "./tolerances.ts";

const [SIZE, SEED, PROBES, STEPS] = [9, 7, 3, 4];

/** Symmetric matrices of one mini-batch each; their mean has three positive eigenvalues well apart. */
const matrices = Array.from({ length: 5 }, (_, b) => {
  const random = rng(b, "matrix");
  const rows = Array.from({ length: SIZE }, () => uniform(random, SIZE));
  return rows.map((row, i) =>
    row.map((value, j) => 0.3 * (value + rows[j]![i]!) + (i === j ? [6, 4, 2.5, 0, 0, 0, 0, -1, -2][i]! : 0)),
  );
});
const mean = matrices[0]!.map((_, i) =>
  Float64Array.from({ length: SIZE }, (__, j) => matrices.reduce((sum, rows) => sum + rows[i]![j]! / 5, 0)),
);
const theta = uniform(rng(1, "theta"), SIZE);
/** Two modules: "a" of a 2 × 2 weight and a bias of one, "b" of 2 × 2 whose filters are the last axis as stored. */
const layout = {
  size: SIZE,
  entries: [
    { name: "a.weight", shape: [2, 2], offset: 0, size: 4 },
    { name: "a.bias", shape: [1], offset: 4, size: 1 },
    { name: "b.weight", shape: [2, 2], order: [1, 0], offset: 5, size: 4 },
  ],
} as never;

/** A loss that counts its products, each by its part of the mini-batches. */
function counted() {
  const loss = matrixLoss(matrices);
  const made = { products: 0, released: 0 };
  const hessian: typeof loss.hessian = (at, of, stop) => {
    const H = loss.hessian(at, of, stop);
    return {
      ...H,
      apply: (v) => {
        made.products += (of?.length ?? 5) / 5;
        return H.apply(v);
      },
    };
  };
  return { made, loss: { ...loss, hessian, release: async () => void made.released++ } };
}

async function measured(request: Partial<CurvatureRequest>) {
  const { loss, made } = counted();
  const progress: Progress[] = [];
  const problem = { loss, layout, theta, model: "m", data: "d", order: "first", bn: null } as const;
  const result = await measureProblem(problem, { seed: SEED, ...request }, (at) => progress.push(at));
  return { result, progress, made };
}

const H = operatorOf(mean);
const pairs = densePairs(mean);
const gradient = mean.map((row) => dotOf(row, theta));
const quadratic = (at: ArrayLike<number>) =>
  dotOf(
    at,
    mean.map((row) => dotOf(row, at)),
  ) / 2;
/** The same number to the last digits that another order of summation leaves. */
const same = (found: ArrayLike<number>, exact: ArrayLike<number>) =>
  expect(relativeError(found, exact)).toBeLessThan(100 * F64);
const sameEstimates = (found: readonly { mean: number; stderr: number }[], exact: typeof found) => {
  same(
    found.map((each) => each.mean),
    exact.map((each) => each.mean),
  );
  same(
    found.map((each) => each.stderr),
    exact.map((each) => each.stderr),
  );
};

describe("a measurement of everything", () => {
  let result: CurvatureResult;
  let progress: Progress[];
  let made: { products: number; released: number };
  beforeAll(async () => {
    const slices = [
      { directions: ["v1", "g"], points: 3, range: 0.2 },
      { directions: ["random"], points: 5 },
      { directions: ["v2"] },
    ] as const;
    const all = { density: true, trace: true, layers: true, renyi: true };
    ({ result, progress, made } = await measured({ top: 2, bottom: 1, ...all, probes: PROBES, steps: STEPS, slices }));
  });

  it("has the numbers of the loss, and of its outer eigenvalues", () => {
    expect(result).toMatchObject({ model: "m", data: "d", order: "first", bn: null, n: 5, batches: 5, seed: SEED });
    expect(result).toMatchObject({ parameters: SIZE, dtype: "f64", converged: true, complete: true });
    same([result.loss, result.gradNorm], [quadratic(theta), normOf(gradient)]);
    expect(relativeError(result.eigenvalues, [pairs[0]!.value, pairs[1]!.value])).toBeLessThan(DENSE);
    expect(relativeError(result.bottom, [pairs[SIZE - 1]!.value])).toBeLessThan(DENSE);
    const cosines = pairs.slice(0, 2).map(({ vector }) => Math.abs(dotOf(vector, gradient)) / normOf(gradient));
    expect(relativeError(result.gradientCosines, cosines)).toBeLessThan(1e-3);
    expect([result.residuals.length, result.bottomResiduals.length]).toEqual([2, 1]);
    for (const residual of [...result.residuals, ...result.bottomResiduals]) expect(residual).toBeLessThan(1e-3);
    expect(result).not.toHaveProperty("missing");
  });

  it("takes each part's random vectors from that part's own stream", async () => {
    const random = (...labels: string[]) => rng(SEED, "curvature", ...labels);
    const trace = await hutchPlusPlus(H, { products: 3 * PROBES, random: random("trace") });
    const frobenius = await frobeniusNorm(H, { products: PROBES, random: random("frobenius") });
    sameEstimates([result.trace!, result.frobenius!], [trace, frobenius]);
    const quadratures = await spectralQuadratures(H, { steps: STEPS, probes: PROBES, random: random("density") });
    const density = smoothedDensity(quadratures);
    expect(result.density).toMatchObject({ probes: PROBES, steps: STEPS });
    for (const [name, values] of Object.entries(density))
      if (Array.isArray(values)) same(result.density![name as never], values);
    sameEstimates([result.renyi!], [renyiSharpness(quadratures, SIZE)]);
    const loss = matrixLoss(matrices);
    const halves = {
      batches: 5,
      hessian: (of: readonly number[]) => loss.hessian(theta, of),
      quotients: (v: Float64Array | Float32Array, of: readonly number[]) => loss.quotients(theta, v, of),
    };
    const options = { top: 2, copies: true, maxProducts: SIZE, tolerance: 1e-2, random: random("halves") };
    expect(result.heldOut).toEqual(await crossFitted(halves, options));
  });

  it("has each module's own block, by streams with its name", async () => {
    const signs = signProbes(H, PROBES, rng(SEED, "curvature", "layers"));
    const ranges = [
      { name: "a", start: 0, end: 5 },
      { name: "b", start: 5, end: 9 },
    ];
    const traces = blockTraces(signs, await Promise.all(signs.map((z) => H.apply(z))), ranges);
    expect(result.layers!.map(({ name, parameters }) => [name, parameters])).toEqual([
      ["a", 5],
      ["b", 4],
    ]);
    sameEstimates(
      result.layers!.map(({ trace }) => trace),
      traces,
    );
    for (const [i, { name, start, end }] of ranges.entries()) {
      const { eigenvalue, residual, converged, renyi } = result.layers![i]!;
      const [largest] = densePairs(mean.slice(start, end).map((row) => row.slice(start, end)));
      expect(Math.abs(eigenvalue / largest!.value - 1)).toBeLessThan(1e-3);
      expect([converged, residual <= 0.02]).toEqual([true, true]);
      const random = rng(SEED, "curvature", "layer spectrum", name);
      const quadratures = await spectralQuadratures(blockOf(H, start, end), { steps: STEPS, probes: PROBES, random });
      sameEstimates([renyi!], [renyiSharpness(quadratures, end - start)]);
    }
  });

  it("has the loss along its slices, whose slope and curvature are the quadratic's", () => {
    const [plane, random, second] = result.slices!;
    const apply = (v: ArrayLike<number>) => mean.map((row) => dotOf(row, v));
    const { vector: v1 } = pairs[0]!;
    const rest = Float64Array.from(gradient, (x, i) => x - dotOf(v1, gradient) * v1[i]!);
    const directions = [v1, rest.map((x) => x / normOf(rest))];
    expect(plane!.coordinates).toEqual([-0.2, 0, 0.2]);
    expect(
      relativeError(
        plane!.curvature,
        directions.map((d) => dotOf(d, apply(d))),
      ),
    ).toBeLessThan(1e-3);
    expect(
      relativeError(
        plane!.slope.map(Math.abs),
        directions.map((d) => Math.abs(dotOf(d, gradient))),
      ),
    ).toBeLessThan(1e-3);
    // f(θ + ad + be) of a quadratic, from its slopes and curvatures; d and e are almost conjugate, so their product counts too.
    const sign = Math.sign(plane!.slope[0]!) * Math.sign(dotOf(v1, gradient));
    const mixed = sign * dotOf(directions[0]!, apply(directions[1]!));
    for (let i = 0; i < 9; i++) {
      const [a, b] = [plane!.coordinates[i % 3]!, plane!.coordinates[Math.floor(i / 3)]!];
      const exact =
        quadratic(theta) +
        a * plane!.slope[0]! +
        b * plane!.slope[1]! +
        (a * a * plane!.curvature[0]! + b * b * plane!.curvature[1]!) / 2 +
        a * b * mixed;
      expect(Math.abs(plane!.loss[i]! - exact)).toBeLessThan(1e-6);
    }
    // Filters are rows of PyTorch's weight; the second weight is stored with its filters last. A bias stays.
    const [first, other] = ["a.weight", "b.weight"].map((name) => {
      const stream = rng(SEED, "slice", 0, name);
      return [0, 1].map(() => [stream.normal(), stream.normal()]);
    });
    const scaled = (drawn: readonly number[], own: readonly number[]) =>
      drawn.map((x) => (x * normOf(own)) / normOf(drawn));
    const [f, g] = [scaled(first![0]!, [theta[0]!, theta[1]!]), scaled(first![1]!, [theta[2]!, theta[3]!])];
    const [p, q] = [scaled(other![0]!, [theta[5]!, theta[7]!]), scaled(other![1]!, [theta[6]!, theta[8]!])];
    const d = [...f, ...g, 0, p[0]!, q[0]!, p[1]!, q[1]!];
    expect(random!.coordinates).toEqual([-1, -0.5, 0, 0.5, 1]);
    same(
      random!.loss,
      random!.coordinates.map((a) => quadratic(theta.map((x, i) => x + a * d[i]!))),
    );
    same([...random!.slope, ...random!.curvature], [dotOf(d, gradient), dotOf(d, apply(d))]);
    expect([second!.coordinates.length, second!.coordinates[0], second!.coordinates[40]]).toEqual([41, -0.5, 0.5]);
    expect(Math.abs(second!.curvature[0]! / pairs[1]!.value - 1)).toBeLessThan(1e-3);
  });

  it("counts its products, tells of each, and frees the loss once", () => {
    // Those of the slices, one per direction, are not counted.
    expect(result.products).toBe(Math.round(made.products - 4));
    expect(made.released).toBe(1);
    const slice = progress.filter(({ part }) => part === "slice");
    expect(slice.map(({ done, of }) => [done, of])).toEqual(
      [9, 5, 41].flatMap((of) => Array.from({ length: of }, (_, i) => [i + 1, of])),
    );
    const most = progress.filter(({ done, part }) => done === 0 && part !== "slice").map(({ part, of }) => [part, of]);
    expect(most).toEqual([
      ["eigenvalues", SIZE],
      ["copies", SIZE],
      ["check", 3],
      ["held out", 2 * SIZE],
      ["trace", 3 * PROBES],
      ["trace", PROBES],
      ["density", PROBES * STEPS],
      // Traces; Lanczos to the whole block, a check, and the spectrum.
      ["layers", PROBES + (5 + 1 + PROBES * STEPS) + (4 + 1 + PROBES * STEPS)],
    ]);
  });
});

describe("what is not asked for", () => {
  it("is not measured", async () => {
    const { result } = await measured({ top: 1, crossFit: false });
    const { seconds: _, products: __, ...rest } = result;
    expect(Object.keys(rest).sort()).toEqual(
      [
        ...["batches", "bn", "bottom", "bottomResiduals", "converged", "data", "dtype", "eigenvalues", "gradNorm"],
        ...["gradientCosines", "heldOut", "loss", "model", "n", "order", "parameters", "residuals", "seed"],
      ].sort(),
    );
    expect(result.heldOut).toEqual([]);
  });

  it.each([
    [["g", "g"], 2, undefined, "is no plane"],
    [[], 2, undefined, "give one or two"],
    [["g", "v1", "random"], 2, undefined, "give one or two"],
    [["v1", "v2"], 1, undefined, "needs 2 top eigenvectors, and 1 were asked for"],
    [["v1"], 0, undefined, "needs 1 top eigenvectors"],
    [["g"], 1, 1, "a slice of 1 point"],
  ] as const)(
    "a slice along %j with %i eigenvectors is refused before anything is computed",
    async (directions, top, points, message) => {
      const slices = [{ directions, ...(points === undefined ? {} : { points }) }];
      const failure = measured({ top, bottom: 1, slices });
      await expect(failure).rejects.toThrow(message);
    },
  );

  it.each([
    [["random", "random"], 1],
    [["g"], 1],
    [["v1", "v2"], 2],
  ] as const)("a slice along %j with %i eigenvectors is drawn", async (directions, top) => {
    const { result } = await measured({ top, crossFit: false, slices: [{ directions, points: 2 }] });
    expect(result.slices![0]!.loss).toHaveLength(2 ** directions.length);
  });
});

describe("examples that are measured", () => {
  const count = 17;
  const random = rng(5, "examples");
  const split = {
    x: Float32Array.from(uniform(random, count * FEATURES, -2, 2)),
    y: Int32Array.from({ length: count }, () => Math.floor(CLASSES * random.uniform())),
    count,
  };
  const targets = { kind: "labels", classes: CLASSES } as const;
  const format = { inputShape: [FEATURES], targets, mean: [], std: [], dtype: "f32" } as const;
  const task = {
    format,
    network: networkOf(handNet, { classes: CLASSES }),
    loss: losses["cross-entropy"],
    labelSmoothing: 0,
  };
  const weights = {
    theta: Float32Array.from(uniform(rng(6, "theta"), modelFor(task, 4).parameters.size)),
    buffers: Float32Array.of(0.5, -0.5, 2, 0.7),
  };
  const config = { model: { name: "hand-net", width: 3 }, device: "cpu", threads: 1 } as never;
  const of = (more: object) =>
    problemFor({
      config,
      task,
      weights,
      split,
      name: "drawn",
      batch: 5,
      order: "random",
      seed: 3,
      bn: "running",
      dtype: "f64",
      batches: undefined,
      ...more,
    });

  it.each([
    ["running", "all", "drawn"],
    ["batch", "all", "drawn"],
    ["batch", 2, "10 random examples of the 17 of drawn"],
    ["running", undefined, "drawn"],
  ] as const)("by statistics of the %s, %s mini-batches, weigh each example the same", async (bn, batches, name) => {
    const { loss, data, model, ...rest } = of({ bn, batches });
    expect([data, model, rest.bn, rest.order]).toEqual([name, "hand-net width 3", bn, "random"]);
    // Fisher and Yates, by the stream of the examples.
    const stream = rng(3, "curvature", "images");
    const order = Array.from({ length: count }, (_, i) => i);
    for (let i = count - 1; i > 0; i--) {
      const j = Math.floor(stream.uniform() * (i + 1));
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    const used = batches === 2 ? 10 : count;
    let exact = 0;
    for (let from = 0; from < used; from += 5) {
      const own = order.slice(from, Math.min(from + 5, used));
      const rows = {
        x: own.flatMap((i) => [...split.x.subarray(FEATURES * i, FEATURES * (i + 1))]),
        y: own.map((i) => split.y[i]!),
      };
      exact +=
        (own.length / used) * scoreByHand(weights.theta, rows, bn === "batch" ? undefined : weights.buffers).loss;
    }
    expect(Math.abs((await loss.loss(rest.theta)) / exact - 1)).toBeLessThan(F32);
    expect(rest.theta).toBeInstanceOf(Float64Array);
    await loss.release();
  });

  it("are eight mini-batches where there are more, in order where that is asked for", async () => {
    const { loss, data } = of({ batch: 2, order: "first" });
    expect([loss.batches, loss.images, data]).toEqual([8, 16, "the first 16 of 17 examples of drawn"]);
    await loss.release();
    expect(HIDDEN).toBe(2);
  });

  it("are no single example where its batch has statistics", () => {
    expect(() => of({ batch: 4, bn: "batch", batches: "all" })).toThrow("has one example, which has no statistics");
    expect(of({ batch: 4, batches: "all" }).loss.batches).toBe(5);
    expect(of({ batch: 4, bn: "batch", batches: 4 }).loss.images).toBe(16);
  });
});
