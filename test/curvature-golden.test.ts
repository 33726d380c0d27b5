import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { extremeEigenpairs } from "../src/spectrum/extremes.ts";
import { zeros } from "../src/spectrum/vectors.ts";
import { loadDataset } from "../src/data/index.ts";
import type { FloatDType } from "../src/graph/tensor.ts";
import { empiricalLoss } from "../src/train/empirical-loss.ts";
import { pack } from "../src/nn/layout.ts";
import { builtIn } from "../src/train/registry.ts";
import { datasetFormat, modelFor, taskOf } from "../src/train/task.ts";
import { checkConfig } from "../src/train/settings.ts";
import { rng } from "../src/util/rng.ts";
import { sizeOf } from "../src/util/shape.ts";
import { fill, relativeError } from "./support/numbers.ts";
import { GOLDEN_F64, LANCZOS_F32 } from "./tolerances.ts";

interface Golden {
  readonly settings: { readonly images: number; readonly width: number; readonly startSeed: number };
  readonly loss: number;
  readonly gradNorm: number;
  readonly eigenvalues: readonly number[];
  readonly bottom: readonly number[];
}

const title = "ResNet18 of width %d on real images has the outer eigenvalues of PyTorch's Lanczos in double";
/** The wide network takes a minute of two cores, the narrow one ten seconds: `EIGENSAM_SLOW=1 npm test`, as CI does. */
it.runIf(process.env.EIGENSAM_SLOW === "1").each([4, 16])(title, { timeout: 900_000 }, async (width) => {
  const file = new URL(`golden/resnet18-w${width}-lanczos.json`, import.meta.url);
  const golden = JSON.parse(readFileSync(file, "utf8")) as Golden;
  const { images, startSeed } = golden.settings;
  const config = checkConfig({ model: { name: "resnet18", width } });
  const dataset = await loadDataset("fashion-mini");
  const task = taskOf(config, builtIn, datasetFormat(dataset));
  const model = modelFor(task, images);
  const { entries } = model.parameters;
  const arrays = entries.map(({ name, shape, size }, k) => {
    const isWeight = name.endsWith("weight");
    const weightShape = isWeight ? shape : entries[k - 1]!.shape;
    const values =
      weightShape.length === 1
        ? new Float64Array(size).fill(isWeight ? 1 : 0)
        : fill(startSeed + k, size, 1 / Math.sqrt(sizeOf(weightShape.slice(1))));
    return [name, values] as const;
  });
  const pixels = sizeOf(dataset.inputShape);
  const lossIn = (dtype: FloatDType) =>
    empiricalLoss({
      task,
      buffers: zeros(model.buffers.size, dtype),
      batches: [
        {
          x: dataset.train.x.subarray(0, images * pixels),
          y: dataset.train.y.subarray(0, images),
          rows: images,
        },
      ],
      bn: "batch",
      dtype,
      device: "cpu",
      threads: 0,
    });
  const weights = Object.fromEntries(arrays);

  // The gradient in float64 says that it is the same problem; float32 has the kinks of ReLU in it.
  const exact = lossIn("f64");
  const at = await exact.lossAndGradient(pack(model.parameters, weights, new Float64Array(model.parameters.size)));
  await exact.release();
  expect(relativeError([at.loss], [golden.loss])).toBeLessThan(GOLDEN_F64);
  expect(relativeError([at.gradNorm], [golden.gradNorm])).toBeLessThan(GOLDEN_F64);

  const loss = lossIn("f32");
  const theta = pack(model.parameters, weights, new Float32Array(model.parameters.size));
  const { top, bottom, converged, products } = await extremeEigenpairs(loss.hessian(theta), {
    top: 3,
    bottom: 1,
    tolerance: 5e-3,
    maxProducts: 80,
    random: rng(1, "golden"),
  });
  await loss.release();
  expect(converged).toBe(true);
  const found = [...top, ...bottom].map(({ eigenvalue }) => eigenvalue);
  const expected = [...golden.eigenvalues, ...golden.bottom];
  const errors = found.map((value, i) => Math.abs(value / expected[i]! - 1));
  console.info(`${products} products; relative errors ${errors.map((e) => e.toExponential(1)).join(", ")}`);
  for (const error of errors) expect(error).toBeLessThan(LANCZOS_F32);
});
