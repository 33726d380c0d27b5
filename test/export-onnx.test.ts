import { spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { constant } from "../src/graph/ops/source.ts";
import { add } from "../src/graph/ops/elementwise.ts";
import { linear } from "../src/nn/layers.ts";
import type { Network } from "../src/nn/scope.ts";
import { ModelProtoSchema } from "../src/onnx/onnx_pb.ts";
import { inferenceModel } from "../src/train/export-onnx.ts";
import { builtIn } from "../src/train/registry.ts";
import { checkConfig } from "../src/train/settings.ts";
import { firstState, problemOf } from "../src/train/session.ts";
import { modelFor, type Task, taskOf } from "../src/train/task.ts";
import { inPackage } from "../src/util/package.ts";
import { rng } from "../src/util/rng.ts";

const random = rng(5, "export");
const images = Uint8Array.from({ length: 4 * 3 * 8 * 8 }, () => Math.floor(256 * random.uniform()));

/** A network with its first weights, on colour images of 8×8. */
function untrained(name: string) {
  const split = { x: images, y: Int32Array.of(0, 1, 2, 0), count: 4 };
  const config = checkConfig({ model: { name, ...(name === "wide-resnet" ? { width: 1, depth: 10 } : { width: 4 }) } });
  const scale = { mean: [0.4, 0.5, 0.6], std: [0.2, 0.2, 0.3] };
  const dataset = {
    name: "x",
    inputShape: [3, 8, 8],
    targets: { kind: "labels", classes: 3 },
    ...scale,
    train: split,
  } as const;
  const problem = problemOf({ ...config, data: { ...config.data, batch: 4, validation: 0 } }, dataset);
  return { task: problem.task, weights: firstState(problem) };
}

const run = async (bytes: Uint8Array, x: Uint8Array, rows: number) => {
  const session = await InferenceSession.create(bytes, { logSeverityLevel: 2, intraOpNumThreads: 1 });
  const outputs = await session.run({ images: new Tensor("uint8", x, [rows, 3, 8, 8]) });
  await session.release();
  return outputs;
};

describe("an exported network", () => {
  it.each(["mlp", "cnn6", "resnet18", "wide-resnet"])("%s takes images alone, any number of them", async (name) => {
    const { task, weights } = untrained(name);
    const bytes = inferenceModel(task, weights);
    const graph = fromBinary(ModelProtoSchema, bytes).graph!;
    expect(graph.input.map((input) => input.name)).toEqual(["images"]);
    const all = await run(bytes, images, 4);
    expect(all.logits?.dims).toEqual([4, 3]);
    const fixed = await run(inferenceModel(task, weights, 4), images, 4);
    expect(all.logits?.data).toEqual(fixed.logits?.data);
    for (const rows of [1, 3]) {
      const { logits, probabilities } = await run(bytes, images.slice(0, rows * 192), rows);
      for (const [i, value] of Array.from(logits?.data as Float32Array).entries())
        expect(value).toBeCloseTo(Number(all.logits?.data[i]), 5);
      expect(probabilities?.dims).toEqual([rows, 3]);
    }
  });

  it("opens without a warning, and names its axis", () => {
    const { task, weights } = untrained("resnet18");
    const file = join(mkdtempSync(join(tmpdir(), "eigensam-onnx-")), "net.onnx");
    writeFileSync(file, inferenceModel(task, weights));
    const script = `import { InferenceSession } from "onnxruntime-node";
      const { inputNames, inputMetadata } = await InferenceSession.create(${JSON.stringify(file)}, { logSeverityLevel: 2 });
      console.log(JSON.stringify([inputNames, inputMetadata[0].shape]));`;
    const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
      cwd: inPackage("."),
      encoding: "utf8",
    });
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toEqual([["images"], ["batch", 3, 8, 8]]);
  });

  it("that computes with the number of examples is refused, and can be had for one number", () => {
    const counting: Network = (scope, x) => {
      const y = linear(scope.at("out"), x, 3);
      const [rows = 0] = y.shape;
      return add(
        y,
        constant(
          Float64Array.from({ length: rows }, (_, i) => i),
          [rows, 1],
        ),
      );
    };
    const format = {
      inputShape: [2],
      targets: { kind: "labels", classes: 3 },
      mean: [],
      std: [],
      dtype: "f32",
    } as const;
    const task: Task = { ...taskOf(checkConfig({ model: { name: "mlp" } }), builtIn, format), network: counting };
    const { parameters } = modelFor(task, 1);
    const weights = { theta: new Float32Array(parameters.size), buffers: new Float32Array(1) };
    expect(() => inferenceModel(task, weights)).toThrow("a constant of Add depends on the number of examples");
    expect(inferenceModel(task, weights, 2).length).toBeGreaterThan(0);
  });
});
