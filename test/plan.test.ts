import { fromBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { grad } from "../src/graph/grad.ts";
import { slice } from "../src/graph/ops/arrange.ts";
import { add, mul, sub, tanh } from "../src/graph/ops/elementwise.ts";
import { matmul } from "../src/graph/ops/matmul.ts";
import { sum } from "../src/graph/ops/reduce.ts";
import { reshape } from "../src/graph/ops/reshape.ts";
import { input } from "../src/graph/ops/source.ts";
import { emitModel } from "../src/onnx/emit.ts";
import { lower } from "../src/onnx/lower/index.ts";
import { ModelProtoSchema } from "../src/onnx/onnx_pb.ts";
import { plan } from "../src/onnx/plan/plan.ts";
import { targetOf } from "../src/runtime/device.ts";

/** A step of momentum, written over it, on a network of two layers that share one long vector. */
const [features, hidden] = [1024, 1024];
const n = features * hidden + hidden;
const [theta, m] = [input("theta", [n]), input("m", [n])];
const x = input("x", [4, features]);
const w = reshape(slice(theta, 0, 0, features * hidden), [features, hidden]);
const u = reshape(slice(theta, 0, features * hidden, n), [hidden, 1]);
const y = matmul(tanh(tanh(matmul(x, w))), u);
const g = grad(sum(mul(y, y)), theta);
const next = add(mul(0.9, m), g);
const inPlace = { m: "next" };
const [cpu, webgpu] = [targetOf(), targetOf({ device: "webgpu" })];
const outputs = (target = cpu) => [{ name: "next", tensor: lower([next], target)[0]! }];
const inputsOf = (model: { readonly bytes: Uint8Array }) =>
  fromBinary(ModelProtoSchema, model.bytes).graph!.input.map(({ name }) => name);

describe("the plan of a training step", () => {
  it("on the CPU splits the state along its layers and declares shapes", () => {
    const ranges = [
      { start: 0, end: features * hidden },
      { start: features * hidden, end: n },
    ];
    const made = plan(outputs(), cpu, { inPlace });
    expect(Object.fromEntries(made.splits)).toEqual({ theta: ranges, m: ranges, next: ranges });
    expect(made.outputs.map(({ name }) => name)).toEqual([
      `next[0:${features * hidden}]`,
      `next[${features * hidden}:${n}]`,
    ]);
    expect(made.knownShapes!.size).toBeGreaterThan(0);
    expect(inputsOf(emitModel(made, cpu)).length).toBeGreaterThan(5);
  });

  it("elsewhere leaves vectors whole and the planner alone", () => {
    const made = plan(outputs(webgpu), webgpu, { inPlace });
    expect(made.outputs.map(({ name }) => name)).toEqual(["next"]);
    expect(made.splits.size + made.knownShapes!.size).toBe(0);
    expect(inputsOf(emitModel(made, webgpu)).sort()).toEqual(["m", "theta", "x"]);
  });

  it("keeps an output whole where a part would be written over what another part still reads", () => {
    // The first layer's gradient reads the second layer's weights, which the step could have overwritten by then.
    const stepped = { name: "stepped", tensor: sub(theta, mul(0.1, g)) };
    const made = plan([stepped], cpu, { inPlace: { theta: "stepped" } });
    expect([...made.splits.keys()]).toEqual(["theta"]);
    expect(made.outputs.map(({ name }) => name)).toEqual(["stepped"]);
  });

  it("is refused where an output cannot be written over its input", () => {
    const late = { name: "late", tensor: sum(mul(m, add(next, 1))) };
    expect(() => plan([...outputs(), late], cpu, { inPlace })).toThrow("next cannot be written over m");
  });
});

it("a model without a plan has the inputs of its graph alone", () => {
  expect(inputsOf(emitModel({ outputs: outputs() }, cpu)).sort()).toEqual(["m", "theta", "x"]);
});
