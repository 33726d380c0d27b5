import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fromBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { grad, gradientVectorProduct } from "../src/graph/grad.ts";
import { input } from "../src/graph/ops/source.ts";
import type { FloatDType, Tensor } from "../src/graph/tensor.ts";
import { topological } from "../src/graph/walk.ts";
import { emitModel } from "../src/onnx/emit.ts";
import { lower } from "../src/onnx/lower/index.ts";
import { ModelProtoSchema } from "../src/onnx/onnx_pb.ts";
import { eigenSamStep, samStep, sgdStep } from "./support/steps.ts";
import { type TargetOptions, targetOf } from "../src/runtime/device.ts";
import { networks, problem } from "./support/models.ts";
import { cases } from "./support/samples.ts";

type Outputs = Readonly<Record<string, Tensor>>;

const hyper = { lr: 0.1, mu: 0.9, weightDecay: 5e-4, rho: 0.05, alpha: 0.2 };

const firstSamples = (dtype: FloatDType): [string, Outputs][] => {
  const seen = new Set<string>();
  return cases(dtype)
    .filter(({ op }) => !seen.has(op) && seen.add(op))
    .map(({ op, output }) => [`${op} in ${dtype}`, { output }]);
};

const derivatives = Object.entries(networks).flatMap(([name, sample]): [string, Outputs][] => {
  const { theta, lossAt } = problem(sample);
  const loss = lossAt(theta);
  const gradient = grad(loss, theta);
  const hvp = gradientVectorProduct(gradient, theta, input("v", theta.shape));
  return [
    [`${name} gradient`, { loss, gradient }],
    [`${name} hessian-vector product`, { hvp }],
  ];
});

const { theta, lossAt } = problem(networks.resnet18!);
const state = { theta, momentum: input("momentum", theta.shape) };
const steps: [string, Outputs][] = [
  ["sgd step", sgdStep(lossAt, state, hyper)],
  ["sam step", samStep(lossAt, state, hyper)],
  ["eigen-sam step", eigenSamStep(lossAt, state, input("v", theta.shape), hyper)],
].map(([name, result]) => [
  name as string,
  Object.fromEntries(Object.entries(result!).map(([key, value]) => [`next_${key}`, value as Tensor])),
]);

const graphs = [...firstSamples("f32"), ...firstSamples("f64"), ...derivatives, ...steps];
const targets: Readonly<Record<string, TargetOptions>> = {
  cpu: { standardOps: false },
  standard: { standardOps: true },
  native: { standardOps: true, convolution: "native" },
  webgpu: { device: "webgpu" },
};

describe.each(Object.keys(targets))("models for the target %s", (label) => {
  const target = targetOf(targets[label]);
  let folder: string;
  let verdicts: Record<string, string | null>;
  const models = new Map<string, Uint8Array>();
  const fileOf = (name: string) => `${name.replaceAll(" ", "-")}.onnx`;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "eigensam-onnx-"));
    for (const [name, outputs] of graphs) {
      const lowered = lower(Object.values(outputs), target);
      const named = Object.keys(outputs).map((key, i) => ({ name: key, tensor: lowered[i]! }));
      // With every shape declared, the checker finds the one that is not what a node makes.
      const known = topological(lowered).filter(({ op, inputs }) => inputs.length > 0 && !op.view);
      const plan = { outputs: named, shapesAtRunTime: target.device === "cpu", knownShapes: new Set(known) };
      models.set(name, emitModel(plan, target).bytes);
      writeFileSync(join(folder, fileOf(name)), models.get(name)!);
    }
    const script = fileURLToPath(new URL("support/check_models.py", import.meta.url));
    const { status, stdout, stderr, error } = spawnSync("/usr/bin/python3", [script, folder], { encoding: "utf8" });
    if (status !== 0)
      throw new Error(
        `the ONNX checker did not run: install the Debian package python3-onnx (apt-get install python3-onnx)\n${error?.message ?? stderr}`,
      );
    verdicts = JSON.parse(stdout);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("pass the ONNX checker, shape inference included", () => {
    const failed = Object.entries(verdicts).filter(([, verdict]) => verdict !== null);
    expect(failed).toEqual([]);
    expect(Object.keys(verdicts).sort()).toEqual(graphs.map(([name]) => fileOf(name)).sort());
  });

  it(target.contrib ? "use ONNX Runtime's own operators" : "use operators of the ONNX standard alone", () => {
    const domains = [...models].flatMap(([, bytes]) => {
      const model = fromBinary(ModelProtoSchema, bytes);
      return [...model.opsetImport.map(({ domain }) => domain), ...model.graph!.node.map(({ domain }) => domain)];
    });
    expect([...new Set(domains)].sort()).toEqual(target.contrib ? ["", "com.microsoft"] : [""]);
  });
});
