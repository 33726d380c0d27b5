import { fromBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { grad } from "../src/graph/grad.ts";
import { add, mul, tanh } from "../src/graph/ops/elementwise.ts";
import { matmul } from "../src/graph/ops/matmul.ts";
import { sum } from "../src/graph/ops/reduce.ts";
import { reshape } from "../src/graph/ops/reshape.ts";
import { input } from "../src/graph/ops/source.ts";
import type { Tensor } from "../src/graph/tensor.ts";
import { ModelProtoSchema } from "../src/onnx/onnx_pb.ts";
import { executionOrder } from "../src/onnx/plan/execution.ts";
import { chooseKnownShapes } from "../src/onnx/plan/known-shapes.ts";
import { compile } from "../src/runtime/compile.ts";
import { inputsOf, runOn } from "./support/run.ts";
import { networks, problem } from "./support/models.ts";
import { vector } from "./support/numbers.ts";

const repeated = (x: Tensor, times: number, step: (t: Tensor) => Tensor): Tensor =>
  Array.from({ length: times }).reduce<Tensor>(step, x);

const knownShapes = (outputs: readonly Tensor[], budget?: number) =>
  chooseKnownShapes(executionOrder(outputs), outputs, budget);

describe("the shapes that are declared to ONNX Runtime", () => {
  it("are those of values that follow one another, never of inputs, outputs, views or large values", () => {
    const x = input("x", [8, 5]);
    const first = tanh(x);
    const second = tanh(first);
    expect(knownShapes([tanh(second)])).toEqual(new Set([first, second]));

    const [a, b] = [tanh(x), tanh(reshape(tanh(tanh(x)), [5, 8]))];
    expect([...knownShapes([add(sum(a), sum(b))])].some(({ op }) => op.name === "reshape")).toBe(false);

    const large = repeated(input("y", [4096, 1024]), 4, tanh);
    expect(knownShapes([sum(large)]).size).toBe(0);
  });

  it("cost no more memory than the budget", () => {
    // Two chains of the narrow shape; between them products, which need more memory, and of which no shape is declared.
    const narrow = 50 * 10 * 4;
    const wide = [
      [128, 64],
      [128, 128],
      [128, 128],
    ].map((shape, i) => input(`m${i}`, shape));
    const x = input("x", [50, 10]);
    const before = sum(repeated(x, 3, tanh));
    const between = wide.reduce((t, m) => matmul(m, t), mul(input("n", [64, 96]), before));
    const after = repeated(add(x, sum(between)), 3, tanh);
    const declared = (budget: number) => [...knownShapes([sum(after)], budget)].filter(({ shape }) => shape[0] === 50);
    expect(declared(narrow - 1)).toEqual([]);
    expect(declared(narrow).length).toBe(7);
    expect([...knownShapes([sum(after)])].some(({ op }) => op.name === "matmul")).toBe(false);
  });
});

describe("a training step whose values share buffers", () => {
  const { theta, lossAt } = problem(networks.resnet18!);
  const loss = lossAt(theta);
  const outputs = { loss, gradient: grad(loss, theta) };
  const inputs = inputsOf(Object.values(outputs));
  const spec = Object.fromEntries(inputs.map(({ name, shape, dtype }) => [name, { shape, dtype }]));
  const shapesDeclared = async (bufferBudget: number) => {
    const { onnx } = await compile(() => outputs, spec, { threads: 1, bufferBudget });
    return fromBinary(ModelProtoSchema, onnx).graph!.valueInfo.length;
  };

  it("has the same values, bit for bit, whatever the budget", async () => {
    const feeds = Object.fromEntries(
      inputs.map(({ name, shape, dtype }) => [name, dtype === "i32" ? shape.map(() => 1) : vector(name, shape)]),
    );
    feeds.labels = Array.from(feeds.x!, () => 0).slice(0, inputs.find(({ name }) => name === "labels")!.shape[0]);
    const [none, all] = [await runOn(outputs, feeds, { bufferBudget: 0 }), await runOn(outputs, feeds)];
    expect(all.gradient.some((value) => value !== 0)).toBe(true);
    expect(all).toEqual(none);
    expect(await shapesDeclared(0)).toBeLessThan(await shapesDeclared(1e9));
  });
});
