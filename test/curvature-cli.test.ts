import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { inner, type Vector } from "../src/spectrum/vectors.ts";
import type { CurvatureResult } from "../src/curvature/result.ts";
import { mlp } from "../src/models/mlp.ts";
import { curvatureProblem } from "../src/curvature/problem.ts";
import { permutation } from "../src/data/permutation.ts";
import { initialize } from "../src/nn/layout.ts";
import { declare } from "../src/nn/scope.ts";
import { checkConfig } from "../src/train/settings.ts";
import { encodeWeights } from "../src/train/weights.ts";
import { rng } from "../src/util/rng.ts";
import { eigensam } from "./support/cli.ts";
import { type Dense, denseNumbers, denseOf, lossOf } from "./support/curvature.ts";
import { fill, relativeError } from "./support/numbers.ts";
import { npyBytes } from "./support/npy.ts";
import { DENSE } from "./tolerances.ts";

const folder = mkdtempSync(join(tmpdir(), "eigensam-curvature-"));
const at = (name: string) => join(folder, name);

/** 5·12 + 5 + 5·5 + 5 + 3·5 + 3 = 113 parameters, three classes; the images never show the last. */
const network = mlp({ classes: 3, hidden: [5, 5], activation: "tanh" });
const rows = 20;
const images = Float32Array.from(fill(1, rows * 12));
const labels = Int32Array.from({ length: rows }, (_, i) => i % 2);
const model = declare(network, [rows, 1, 3, 4]);
const theta = initialize(model.parameters, (name) => rng(2, name), new Float32Array(model.parameters.size)).map(
  (x) => 2 * x,
);

let dense: Dense;
let H: readonly Vector[];
const loss = lossOf({ network, inputShape: [1, 3, 4], classes: 3, batches: [{ x: images, y: labels, rows }] });
const double = Float64Array.from(theta);
beforeAll(async () => {
  const weights = { theta, buffers: new Float32Array(1) };
  writeFileSync(at("mlp.safetensors"), encodeWeights(model, weights, {}));
  writeFileSync(at("nan.safetensors"), encodeWeights(model, { ...weights, theta: theta.map(() => Number.NaN) }, {}));
  writeFileSync(at("x.npy"), npyBytes(images, [rows, 1, 3, 4]));
  writeFileSync(at("y.npy"), npyBytes(labels, [rows]));
  writeFileSync(
    at("high.npy"),
    npyBytes(
      labels.map((label) => label + 2),
      [rows],
    ),
  );
  H = await denseOf(loss.hessian(double));
  dense = denseNumbers(H);
});

const own = ["--images", at("x.npy"), "--labels", at("y.npy")];
const settings = ["--model", "mlp", "--set", "model.width=5", "--set", "model.activation=tanh", "--set", "threads=1"];
const curvature = (...args: readonly string[]) => eigensam(["curvature", at("mlp.safetensors"), ...settings, ...args]);

describe("eigensam curvature", () => {
  it("measures weights of a file on images of one's own: everything agrees with the dense Hessian", async () => {
    const parts = [
      "--top",
      "3",
      "--bottom",
      "2",
      "--trace",
      "--density",
      "--layers",
      "--slice",
      "g,v1",
      "--slice",
      "random",
    ];
    const many = ["--probes", "120", "--steps", "8", "--points", "5", "--dtype", "f64", "--set", "data.batch=8"];
    const out = at("figures");
    const { status, stdout, stderr } = await curvature(...own, ...parts, ...many, "--out", out, "--json");
    expect(status, stderr).toBe(0);
    const result = JSON.parse(stdout) as CurvatureResult;
    expect(result).toMatchObject({ parameters: 113, n: rows, batches: 3, bn: null, converged: true });
    expect(relativeError(result.eigenvalues, dense.eigenvalues.slice(0, 3))).toBeLessThan(DENSE);
    expect(relativeError(result.bottom, dense.eigenvalues.toReversed().slice(0, 2))).toBeLessThan(DENSE);
    // 360 products are more than the dimension, so these are exact.
    expect(relativeError([result.trace!.mean, result.frobenius!.mean], [dense.trace, dense.frobenius])).toBeLessThan(
      DENSE,
    );
    expect(result).toMatchObject({ order: "random", seed: 1, complete: true });
    expect(Math.max(...result.residuals, ...result.bottomResiduals)).toBeLessThan(1e-3);
    expect(result.layers!.map(({ name, parameters }) => [name, parameters])).toEqual([
      ["layers.0", 65],
      ["layers.1", 30],
      ["layers.2", 18],
    ]);
    const blocks = [
      [0, 65],
      [65, 95],
      [95, 113],
    ].map(([from, to]) => denseNumbers(H.slice(from, to).map((row) => row.slice(from, to))));
    for (const [i, { eigenvalue, trace, residual, converged }] of result.layers!.entries()) {
      expect(converged).toBe(true);
      expect(residual).toBeLessThanOrEqual(2e-2);
      // Lanczos stops at a residual of 2e-2, and eigenvalues err by its square.
      expect(relativeError([eigenvalue], [blocks[i]!.eigenvalues[0]!])).toBeLessThan(1e-3);
      expect(Math.abs(trace.mean - blocks[i]!.trace)).toBeLessThan(4 * trace.stderr);
      // Var(zᵀHz) = 2Σ_{i≠j} H²ᵢⱼ over the rows of the block and all columns: at most 2‖H‖²_F.
      expect(trace.stderr).toBeLessThan(1.5 * Math.sqrt(2 / 120) * dense.frobenius);
    }
    // Blocks of a symmetric matrix have no larger eigenvalue than the whole (Cauchy's interlacing).
    for (const { eigenvalue } of result.layers!)
      expect(eigenvalue).toBeLessThanOrEqual(dense.eigenvalues[0]! * (1 + DENSE));
    const [plane, line] = result.slices!;
    expect(plane!.loss).toHaveLength(25);
    expect(plane!.loss[12]).toBeCloseTo(result.loss, 10);
    expect(line!.loss[2]).toBeCloseTo(result.loss, 10);
    expect(plane!.slope[0]).toBeCloseTo(result.gradNorm, 10);
    const { gradient, gradNorm } = await loss.lossAndGradient(double);
    const point = (a: number) => double.map((x, i) => x + (a * gradient[i]!) / gradNorm);
    for (const [i, a] of plane!.coordinates.entries())
      expect(plane!.loss[10 + i]).toBeCloseTo(await loss.loss(point(a)), 10);
    const Hg = H.map((row) => inner(row, gradient));
    expect(plane!.curvature[0]).toBeCloseTo(inner(gradient, Float64Array.from(Hg)) / gradNorm ** 2, 8);
    expect(JSON.parse(readFileSync(join(out, "curvature.json"), "utf8"))).toEqual(result);
    for (const name of ["spectrum", "density", "layers", "slice-g-v1", "slice-random"])
      expect(existsSync(join(out, "figures", `${name}.png`)), name).toBe(true);
  });

  it.each(["random", "first"] as const)("measures the images that --order %s says", async (order) => {
    const config = checkConfig({
      model: { name: "mlp", width: 5, activation: "tanh" },
      data: { batch: 8 },
      ...{ threads: 1 },
    });
    const arrays = { images: at("x.npy"), labels: at("y.npy"), normalizeAsData: false };
    const problemOf = (seed: number) =>
      curvatureProblem({
        ...{ config, path: at("mlp.safetensors"), arrays, split: "train", bn: "batch", dtype: "f64" },
        ...{ batches: 2, order, seed },
      });
    const { loss: measured, theta: point, data } = await problemOf(5);
    const drawn = permutation(rows, rng(5, "curvature", "images")).subarray(0, 16);
    const chosen = order === "random" ? [...drawn] : Array.from({ length: 16 }, (_, i) => i);
    expect(chosen.join() === [...chosen].sort((a, b) => a - b).join()).toBe(order === "first");
    const x = Float32Array.from(chosen.flatMap((i) => [...images.subarray(12 * i, 12 * (i + 1))]));
    const y = Int32Array.from(chosen, (i) => labels[i]!);
    const own = lossOf({ network, inputShape: [1, 3, 4], classes: 3, batches: [{ x, y, rows: 16 }] });
    expect(await measured.loss(point)).toBeCloseTo(await own.loss(double), 10);
    // The second mini-batch alone.
    const v = Float64Array.from(fill(4, 113));
    const second = lossOf({
      network,
      ...{ inputShape: [1, 3, 4], classes: 3 },
      batches: [{ x: x.subarray(96), y: y.subarray(8), rows: 8 }],
    });
    const [a, b] = [await measured.hessian(point, [1]).apply(v), await second.hessian(double).apply(v)];
    expect(relativeError(a, b)).toBeLessThan(DENSE);
    expect(data).toContain(order === "random" ? "16 random examples of the 20 of" : "the first 16 of 20 examples of");
    const other = await (await problemOf(6)).loss.loss(point);
    expect(Math.abs(other - (await measured.loss(point))) > 1e-6).toBe(order === "random");
  });

  it("prints the numbers for people, and warns where an eigenvalue has not converged", async () => {
    const { status, stdout, stderr } = await curvature(...own, "--top", "2", "--max-products", "3");
    expect(status).toBe(0);
    expect(stdout).toMatch(/113 parameters.*x\.npy/);
    expect(stdout).toMatch(/λ2 +\d/);
    expect(stderr).toMatch(/not converged after 3 products: the largest residual is .*--max-products/s);
  });

  it.each<[string, readonly string[], string, number]>([
    ["more eigenvalues than parameters", [...own, "--top", "200"], "but the matrix has 113", 2],
    [
      "labels the network does not know",
      ["--images", at("x.npy"), "--labels", at("high.npy")],
      "there is a label 3",
      1,
    ],
    ["images without labels", ["--images", at("x.npy")], "--images x.npy and --labels y.npy together", 2],
    [
      "a width the weights do not have",
      [...own, "--set", "model.width=6"],
      "has shape [5, 12], the model's is [6, 12]",
      1,
    ],
    ["more mini-batches than there are", [...own, "--batches", "9"], "make 1 mini-batches of 128", 2],
    ["a slice along an eigenvector that was not asked for", [...own, "--slice", "v2"], "add --top 2", 2],
    ["a plane of one direction", [...own, "--slice", "v1,v1"], "give two different directions", 2],
    ["a direction that is none", [...own, "--slice", "v9"], "expected one of g, v1, v2, random", 2],
  ])("ends with one clear error for %s", async (_, args, message, expected) => {
    const { status, stdout, stderr } = await curvature(...args);
    expect(stderr).toContain(message);
    expect({ status, stdout }).toEqual({ status: expected, stdout: "" });
  });

  it("refuses weights that are not numbers, naming the parameter", async () => {
    const { status, stderr } = await eigensam(["curvature", at("nan.safetensors"), ...settings, ...own]);
    expect({ status, named: stderr.includes("layers.0.weight holds NaN") }).toEqual({ status: 1, named: true });
  });

  it("refuses a file that is not there", async () => {
    const { status, stderr } = await eigensam(["curvature", at("nowhere.safetensors"), ...settings, ...own]);
    expect(status).toBe(1);
    expect(stderr).toContain("nowhere.safetensors");
  });
});
