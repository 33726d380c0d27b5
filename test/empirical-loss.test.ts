import { describe, expect, it } from "vitest";
import { inner, length } from "../src/spectrum/vectors.ts";
import { loadDataset } from "../src/data/index.ts";
import { cnn6 } from "../src/models/cnn6.ts";
import { initialize } from "../src/nn/layout.ts";
import { declare } from "../src/nn/scope.ts";
import { rng } from "../src/util/rng.ts";
import { lossOf } from "./support/curvature.ts";
import { fill, relativeError } from "./support/numbers.ts";
import {
  batchesOf,
  golden,
  imagesOf,
  labelsOf,
  normedModel,
  normedNetwork,
  tanhLoss,
  tanhTheta,
} from "./support/small-losses.ts";
import { CONCATENATED, DIFFERENCE, GOLDEN_F64 } from "./tolerances.ts";

describe("the empirical loss", () => {
  it("has PyTorch's loss and gradient", async () => {
    const { loss, gradient } = await tanhLoss().lossAndGradient(tanhTheta);
    expect(relativeError([loss], [golden.loss])).toBeLessThan(GOLDEN_F64);
    expect(relativeError(gradient, golden.grad)).toBeLessThan(GOLDEN_F64);
  });

  it("over mini-batches, the last one short, is that of all images in one batch where there is no batch norm", async () => {
    const network = cnn6({ classes: 6, width: 2 });
    const rows = 80;
    const images = imagesOf(5, rows, 144);
    const labels = labelsOf(rows, 6);
    const cut = (from: number, to: number) => ({
      x: images.subarray(144 * from, 144 * to),
      y: labels.subarray(from, to),
      rows: to - from,
    });
    const common = { network, inputShape: [1, 12, 12] as const, classes: 6 };
    const split = lossOf({ ...common, batches: [cut(0, 32), cut(32, 64), cut(64, 80)] }, { dtype: "f32" });
    const whole = lossOf({ ...common, batches: [cut(0, 80)] }, { dtype: "f32" });
    const model = declare(network, [rows, 1, 12, 12]);
    const theta = initialize(model.parameters, (name) => rng(1, name), new Float32Array(model.parameters.size));
    const v = Float32Array.from(fill(9, theta.length));
    const [a, b] = [await split.hessian(theta).apply(v), await whole.hessian(theta).apply(v)];
    expect(length(b)).toBeGreaterThan(0.01);
    expect(relativeError(a, b)).toBeLessThan(CONCATENATED);
    const [f, g] = [await split.lossAndGradient(theta), await whole.lossAndGradient(theta)];
    expect(relativeError(f.gradient, g.gradient)).toBeLessThan(CONCATENATED);
    expect(relativeError([f.loss], [g.loss])).toBeLessThan(CONCATENATED);
    const quotients = await split.quotients(theta, v, [0, 1, 2]);
    expect(quotients.map(({ weight }) => 80 * weight)).toEqual([32, 32, 16]);
    const weighted = quotients.reduce((sum, { value, weight }) => sum + value * weight, 0);
    expect(relativeError([weighted], [inner(v, b)])).toBeLessThan(CONCATENATED);
    // Of some mini-batches: their own mean.
    const last = lossOf({ ...common, batches: [cut(32, 80)] }, { dtype: "f32" });
    const [some, theirs] = [await split.hessian(theta, [1, 2]).apply(v), await last.hessian(theta).apply(v)];
    expect(relativeError(some, theirs)).toBeLessThan(CONCATENATED);
    expect(await split.quotients(theta, v, [2])).toEqual(quotients.slice(2));
    expect(80 * split.weightOf([1, 2])).toBeCloseTo(48, 10);
  });

  it("streams ten thousand images in the memory of one mini-batch", async () => {
    const { train, inputShape } = await loadDataset("fashion-mini");
    const network = cnn6({ classes: 10, width: 2 });
    const rows = 100;
    const cut = (i: number) => ({
      x: Float32Array.from(train.x.subarray(784 * rows * i, 784 * rows * (i + 1)), (x) => x / 255),
      y: train.y.subarray(rows * i, rows * (i + 1)),
      rows,
    });
    const all = Array.from({ length: 100 }, (_, i) => cut(i));
    expect(all.reduce((sum, { y }) => sum + y.length, 0)).toBe(10_000);
    const model = declare(network, [rows, ...inputShape]);
    const theta = initialize(model.parameters, (name) => rng(1, name), new Float32Array(model.parameters.size));
    const v = Float32Array.from(fill(9, theta.length));
    const [one, many] = [all.slice(0, 1), all].map((batches) =>
      lossOf({ network, inputShape, classes: 10, batches }, { dtype: "f32" }).hessian(theta),
    );
    await one!.apply(v);
    const before = process.memoryUsage().rss;
    await many!.apply(v);
    const grown = (process.memoryUsage().rss - before) / 2 ** 20;
    console.info(`${grown.toFixed(0)} MiB more for 100 mini-batches than for one`);
    // The activations of all images together, forward pass alone: two layers of 28×28×2 numbers each.
    expect(grown).toBeLessThan((10_000 * 2 * 28 * 28 * 2 * 4) / 2 ** 20);
  });

  it("with running statistics and label smoothing is the same however the images are cut", async () => {
    const buffers = initialize(normedModel.buffers, (name) => rng(1, name), new Float64Array(normedModel.buffers.size));
    const theta = Float64Array.from(fill(8, normedModel.parameters.size));
    const all = batchesOf([9])[0]!;
    const part = (from: number, to: number) => ({
      x: all.x.subarray(36 * from, 36 * to),
      y: all.y.subarray(from, to),
      rows: to - from,
    });
    const options = { bn: "running", labelSmoothing: 0.1 } as const;
    const common = { network: normedNetwork, inputShape: [1, 6, 6] as const, classes: 6, buffers };
    const [whole, cut, hard] = [
      lossOf({ ...common, batches: [all] }, options),
      lossOf({ ...common, batches: [part(0, 4), part(4, 8), part(8, 9)] }, options),
      lossOf({ ...common, batches: [all] }, { bn: "running" }),
    ];
    const v = Float64Array.from(fill(9, theta.length));
    const [a, b] = [await whole.hessian(theta).apply(v), await cut.hessian(theta).apply(v)];
    expect(relativeError(b, a)).toBeLessThan(GOLDEN_F64);
    const [smooth, plain] = [await whole.loss(theta), await hard.loss(theta)];
    expect(smooth).not.toBeCloseTo(plain, 3);
    // The product is the derivative of the gradient.
    const h = 1e-5;
    const gradient = async (t: number) => (await whole.lossAndGradient(theta.map((x, i) => x + t * v[i]!))).gradient;
    const [up, down] = [await gradient(h), await gradient(-h)];
    expect(
      relativeError(
        up.map((x, i) => (x - down[i]!) / (2 * h)),
        a,
      ),
    ).toBeLessThan(DIFFERENCE);
  });

  it("has another Hessian with running statistics than with those of the batch", async () => {
    const [batch, running] = (["batch", "running"] as const).map((bn) =>
      lossOf(
        {
          network: normedNetwork,
          inputShape: [1, 6, 6],
          classes: 6,
          batches: batchesOf([10]),
          buffers: initialize(normedModel.buffers, (name) => rng(1, name), new Float64Array(normedModel.buffers.size)),
        },
        { bn },
      ),
    );
    const theta = Float64Array.from(fill(8, normedModel.parameters.size));
    const v = Float64Array.from(fill(9, theta.length));
    const [a, b] = [await batch!.hessian(theta).apply(v), await running!.hessian(theta).apply(v)];
    expect(relativeError(a, b)).toBeGreaterThan(0.1);
  });
});
