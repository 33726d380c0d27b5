import { beforeAll, describe, expect, it } from "vitest";
import { grad, gradientVectorProduct } from "../src/graph/grad.ts";
import { input } from "../src/graph/ops/source.ts";
import type { ConvAttrs } from "../src/graph/ops/conv-attrs.ts";
import { simplify } from "../src/graph/simplify.ts";
import type { FloatDType } from "../src/graph/tensor.ts";
import type { Tensor } from "../src/graph/tensor.ts";
import { topological } from "../src/graph/walk.ts";
import { resnet18 } from "../src/models/resnet.ts";
import { crossEntropy } from "../src/nn/functions.ts";
import { pack, unpack } from "../src/nn/layout.ts";
import { declare, forward, vectorInput } from "../src/nn/scope.ts";
import { lower } from "../src/onnx/lower/index.ts";
import { type Convolution, targetOf } from "../src/runtime/device.ts";
import { sizeOf } from "../src/util/shape.ts";
import { dotOf, fill, normOf, relativeError } from "./support/numbers.ts";
import { runOn } from "./support/run.ts";
import { readGoldenTensors } from "./support/safetensors.ts";
import * as tolerances from "./tolerances.ts";

const BATCH = 8;
const SUBSAMPLED_ABOVE = 64;
type Activation = "silu" | "relu";

const goldens = {
  silu: readGoldenTensors(new URL("golden/resnet18-w8-silu.safetensors", import.meta.url)),
  relu: readGoldenTensors(new URL("golden/resnet18-w8-relu.safetensors", import.meta.url)),
};
const names = JSON.parse(goldens.silu.metadata.names!) as string[];
const models = {
  silu: declare(resnet18({ classes: 10, width: 8, activation: "silu" }), [BATCH, 3, 32, 32]),
  relu: declare(resnet18({ classes: 10, width: 8, activation: "relu" }), [BATCH, 3, 32, 32]),
};

/** PyTorch's parameter by the rules of scripts/golden/README.md. */
function parameter(name: string, k: number): Float64Array {
  const { shape } = models.silu.parameters.entries.find((entry) => entry.name === name)!;
  const filled = (scale: number, offset = 0) => fill(100 + k, sizeOf(shape), scale, offset);
  if (shape.length === 4) return filled(2 / Math.sqrt(sizeOf(shape.slice(1))));
  if (name === "linear.weight") return filled(1 / Math.sqrt(shape[1]!));
  if (name === "linear.bias") return filled(0.1);
  return filled(0.3, name.endsWith("weight") ? 1 : 0);
}

const layout = models.silu.parameters;
const packed = (make: (name: string, k: number) => Float64Array) =>
  pack(layout, Object.fromEntries(names.map((name, k) => [name, make(name, k)])), new Float64Array(layout.size));
const sizes = new Map(layout.entries.map(({ name, size }) => [name, size]));
const feeds = {
  theta: packed(parameter),
  v: packed((name, k) => fill(1000 + k, sizes.get(name)!)),
  x: fill(7, BATCH * 3 * 32 * 32, 1.7),
  labels: Int32Array.from({ length: BATCH }, (_, i) => (3 * i + 1) % 10),
  buffers: pack(
    models.silu.buffers,
    Object.fromEntries(
      models.silu.buffers.entries.map(({ name, size }) => [
        name,
        new Float64Array(size).fill(name.endsWith("var") ? 1 : 0),
      ]),
    ),
    new Float64Array(models.silu.buffers.size),
  ),
};

function graphOf(activation: Activation, dtype: FloatDType) {
  const model = models[activation];
  const theta = vectorInput("theta", model.parameters, dtype);
  const bound = { theta, buffers: vectorInput("buffers", model.buffers, dtype), training: true };
  const { logits, buffers } = forward(model, input("x", [BATCH, 3, 32, 32], dtype), bound);
  const loss = crossEntropy(logits, input("labels", [BATCH], "i32"));
  const g = grad(loss, theta);
  const hvp = gradientVectorProduct(g, theta, input("v", theta.shape, dtype));
  return { loss, grad: g, hvp, running: buffers };
}

/** Elements k mod 7, k mod 7 + 7, … of each parameter, as the golden file holds them. */
function subsample(flat: ArrayLike<number>): number[] {
  const parts = unpack(layout, Float64Array.from(flat));
  return names.flatMap((name, k) => {
    const part = [...parts[name]!];
    return part.length <= SUBSAMPLED_ABOVE ? part : part.filter((_, i) => i % 7 === k % 7);
  });
}

const expected = (activation: Activation, kind: "grad" | "hvp") =>
  names.flatMap((name) => [...goldens[activation].tensors[`${kind}.${name}`]!]);

const torchError = (kind: "Grad" | "Hvp") => Number(goldens.relu.metadata[`torchF32${kind}Error`]);
const times = tolerances.RESNET_F32_RELU_TIMES_TORCH;

const table: readonly {
  activation: Activation;
  dtype: FloatDType;
  convolution: Convolution;
  bound: { readonly grad: number; readonly hvp: number };
}[] = [
  { activation: "silu", dtype: "f64", convolution: "direct", bound: tolerances.RESNET_F64 },
  { activation: "relu", dtype: "f64", convolution: "direct", bound: tolerances.RESNET_F64 },
  { activation: "silu", dtype: "f32", convolution: "direct", bound: tolerances.RESNET_F32_DIRECT },
  { activation: "silu", dtype: "f32", convolution: "winograd", bound: tolerances.RESNET_F32_WINOGRAD },
  {
    activation: "relu",
    dtype: "f32",
    convolution: "direct",
    bound: { grad: times * torchError("Grad"), hvp: times * torchError("Hvp") },
  },
];

describe.each(table)("ResNet-18 with $activation in $dtype, $convolution convolutions", (row) => {
  const { activation, dtype, convolution, bound } = row;
  const { metadata, tensors } = goldens[activation];
  let results: Record<"loss" | "grad" | "hvp" | "running", ArrayLike<number>>;
  beforeAll(async () => {
    results = await runOn(graphOf(activation, dtype), feeds, { convolution, threads: 2 });
  });

  it.each(["grad", "hvp"] as const)("has PyTorch's %s", (kind) => {
    const error = relativeError(subsample(results[kind]), expected(activation, kind));
    console.info(`${activation} ${dtype} ${convolution}: relative error of ${kind} ${error.toExponential(1)}`);
    expect(error).toBeLessThan(bound[kind]);
  });

  it("has PyTorch's loss, norms and slope along v, over whole vectors", () => {
    const scale = normOf(results.grad) * normOf(feeds.v);
    expect(relativeError(results.loss, [Number(metadata.loss)])).toBeLessThan(bound.grad);
    expect(relativeError([normOf(results.grad)], [Number(metadata.gradNorm)])).toBeLessThan(bound.grad);
    expect(relativeError([normOf(results.hvp)], [Number(metadata.hvpNorm)])).toBeLessThan(bound.hvp);
    expect(relativeError([dotOf(results.grad, feeds.v)], [Number(metadata.gradDotV)], scale)).toBeLessThan(bound.grad);
  });

  it("has PyTorch's running statistics after one step", () => {
    const running = unpack(models[activation].buffers, Float64Array.from(results.running));
    const stored = Object.keys(tensors).filter((key) => key.startsWith("running."));
    expect(stored.length).toBeGreaterThan(0);
    for (const key of stored) {
      const name = key.slice("running.".length);
      expect(relativeError(running[name]!, tensors[key]!), name).toBeLessThan(bound.grad);
    }
  });
});

const isTransformed = ({ op, inputs }: Tensor): boolean =>
  op.name === "filterBank" || (op.name === "reshape" && isTransformed(inputs[0]!));

it("most 3x3 contractions of the Winograd row ran on Winograd's tiles, and none of the direct row", () => {
  const outputs = Object.values(graphOf("silu", "f32"));
  const spatial = topological(simplify(outputs)).filter(
    ({ op, attrs }) => op.name.startsWith("conv2d") && (attrs as ConvAttrs).kernel[0] > 1,
  ).length;
  const tiled = (convolution: Convolution) =>
    topological(lower(outputs, targetOf({ convolution }))).filter(
      ({ op, inputs }) => op.name === "matmul" && inputs.some(isTransformed),
    ).length;
  console.info(`${tiled("winograd")} of ${spatial} contractions with 3x3 kernels run on tiles`);
  expect(tiled("winograd")).toBeGreaterThan(spatial / 2);
  expect(tiled("direct")).toBe(0);
});
