import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { namedModel } from "../../src/models/index.ts";
import { declare, type Model } from "../../src/nn/scope.ts";
import { sizeOf } from "../../src/util/shape.ts";
import { fill, normOf } from "./numbers.ts";

/** What one run recorded, see scripts/golden/README.md. */
export interface OfficialPath {
  /** Of the first pass of each step, at θ before the step. */
  readonly losses: readonly number[];
  readonly gradNorms: readonly number[];
  /** Rayleigh quotients, one per refresh. */
  readonly eigenvalues: readonly number[];
  readonly runningNorm: number;
  readonly runningMeanNorm: number;
  readonly thetaNorm: number;
}

export interface OfficialGolden {
  readonly method: "sam" | "eigen-sam";
  readonly settings: {
    readonly model: "resnet18";
    readonly width: number;
    readonly batch: number;
    readonly steps: number;
    readonly lr: number;
    readonly momentum: number;
    readonly weightDecay: number;
    readonly rho: number;
    readonly alpha: number;
    readonly every: number;
    readonly iterations: number;
    readonly mean: number;
    readonly std: number;
    readonly startSeed: number;
    readonly vSeed: number;
    readonly convScale: number;
  };
  readonly inputs: {
    readonly names: readonly string[];
    readonly thetaNorm: number;
    readonly thetaDotV: number;
    readonly pixelSums: readonly number[];
    readonly labels: readonly number[];
  };
  readonly float32: OfficialPath;
  readonly float64: OfficialPath;
}

export const officialGolden = (method: OfficialGolden["method"]): OfficialGolden =>
  JSON.parse(readFileSync(new URL(`../golden/official-${method}.json`, import.meta.url), "utf8"));

export interface OfficialProblem {
  readonly model: Model;
  /** The starting weights by name, in PyTorch's order of elements: float32 numbers, for `pack`. */
  readonly theta: Readonly<Record<string, Float64Array>>;
  /** Where the power iteration starts, by name; of length 1 as a whole. */
  readonly v: Readonly<Record<string, Float64Array>>;
  /** Batch t holds images 64t … 64t + 63 of the file, [64, 1, 28, 28]. */
  readonly batches: readonly { readonly x: Uint8Array; readonly y: Int32Array }[];
}

/** The inputs of scripts/golden/official.py, to the last bit, from gzipped IDX files of Fashion-MNIST's training images. */
export function officialProblem(
  { settings }: OfficialGolden,
  { images, labels }: { readonly images: string; readonly labels: string },
): OfficialProblem {
  const { batch, steps, startSeed, vSeed, convScale } = settings;
  const model = declare(namedModel(settings.model, { classes: 10, width: settings.width }), [batch, 1, 28, 28]);
  const { entries } = model.parameters;
  const arrays = entries.map(({ name, shape, size }, k) => {
    const isWeight = name.endsWith("weight");
    const weightShape = isWeight ? shape : entries[k - 1]!.shape;
    if (weightShape.length === 1) return [name, new Float64Array(size).fill(isWeight ? 1 : 0)] as const;
    return [
      name,
      fill(startSeed + k, size, (shape.length === 4 ? convScale : 1) / Math.sqrt(sizeOf(weightShape.slice(1)))),
    ] as const;
  });
  const direction = entries.map(({ name, size }, k) => [name, fill(vSeed + k, size)] as const);
  const length = normOf(direction.map(([, part]) => normOf(part)));

  const pixels = body(images, 16);
  const classes = body(labels, 8);
  const size = sizeOf(model.inputShape);
  return {
    model,
    theta: Object.fromEntries(arrays),
    v: Object.fromEntries(direction.map(([name, part]) => [name, part.map((value) => value / length)])),
    batches: Array.from({ length: steps }, (_, t) => ({
      x: pixels.slice(t * size, (t + 1) * size),
      y: Int32Array.from(classes.subarray(t * batch, (t + 1) * batch)),
    })),
  };
}

/** An IDX file of bytes is a header of fixed length and the bytes. */
const body = (path: string, header: number): Uint8Array =>
  new Uint8Array(gunzipSync(readFileSync(path))).subarray(header);
