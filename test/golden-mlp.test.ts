import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { grad, hessianVectorProduct, thirdOrderContraction } from "../src/graph/grad.ts";
import { input } from "../src/graph/ops/source.ts";
import { mlp } from "../src/models/mlp.ts";
import { crossEntropy } from "../src/nn/functions.ts";
import { pack } from "../src/nn/layout.ts";
import { declare, forward, vectorInput } from "../src/nn/scope.ts";
import { powerIteration } from "../src/optim/eigenvector.ts";
import { unit } from "../src/optim/vector.ts";
import { compile, type Executable } from "../src/runtime/compile.ts";
import { sizeOf } from "../src/util/shape.ts";
import { along, dotOf, fill, normOf, relativeError } from "./support/numbers.ts";
import { runOn } from "./support/run.ts";
import { GOLDEN_F64, POWER_ITERATION, SECOND_DIFFERENCE, SECOND_DIFFERENCE_STEP } from "./tolerances.ts";

interface Golden {
  readonly names: readonly string[];
  readonly shapes: readonly (readonly number[])[];
  readonly loss: number;
  readonly grad: readonly number[];
  readonly hvp: readonly number[];
  readonly third: readonly number[];
  readonly topEigenvalue: number;
  readonly eigenvalues: readonly number[];
}

const golden = JSON.parse(readFileSync(new URL("golden/mlp-tanh.json", import.meta.url), "utf8")) as Golden;
const BATCH = 7;
const CLASSES = 3;

const model = declare(mlp({ classes: CLASSES, hidden: [5, 4], activation: "tanh" }), [BATCH, 6]);
const arrays = golden.names.map((name, k) => [
  name,
  fill(10 + k, sizeOf(golden.shapes[k]!), name.endsWith("weight") ? 0.8 : 0.3),
]);
const parameters = pack(model.parameters, Object.fromEntries(arrays), new Float64Array(model.parameters.size));
const feeds = {
  theta: parameters,
  x: fill(1, BATCH * 6),
  labels: Int32Array.from({ length: BATCH }, (_, i) => (2 * i + 1) % CLASSES),
  v: fill(5, model.parameters.size),
  u: along(golden.grad, golden.grad, 1 / normOf(golden.grad) - 1),
};

const theta = vectorInput("theta", model.parameters, "f64");
const lossAt = (point: typeof theta) => {
  const { logits } = forward(model, input("x", [BATCH, 6], "f64"), { theta: point, buffers: point, training: true });
  return crossEntropy(logits, input("labels", [BATCH], "i32"));
};
const loss = lossAt(theta);
const tangent = (name: string) => input(name, theta.shape, "f64");

describe("a tanh network in float64 agrees with PyTorch", () => {
  let results: Record<"loss" | "grad" | "hvp" | "third", ArrayLike<number>>;
  beforeAll(async () => {
    results = await runOn(
      {
        loss,
        grad: grad(loss, theta),
        hvp: hessianVectorProduct(loss, theta, tangent("v")),
        third: thirdOrderContraction(loss, theta, tangent("u")),
      },
      feeds,
    );
  });

  it.each(["loss", "grad", "hvp", "third"] as const)("in its %s", (name) => {
    const expected = golden[name];
    const error = relativeError(results[name], typeof expected === "number" ? [expected] : expected);
    expect(error).toBeLessThan(GOLDEN_F64);
  });

  it("in its third-order contraction along a direction that is itself computed from the parameters", async () => {
    const direction = unit(grad(loss, theta));
    const { third } = await runOn({ third: thirdOrderContraction(loss, theta, direction) }, feeds);
    expect(relativeError(third, golden.third)).toBeLessThan(GOLDEN_F64);
  });

  it("in the order of its parameters", () => {
    expect(model.parameters.entries.map(({ name }) => name)).toEqual(golden.names);
    expect(model.parameters.entries.map(({ shape }) => shape)).toEqual(golden.shapes);
  });

  it("in the top eigenvalue of its Hessian, by power iteration", async () => {
    const { v, eigenvalue } = powerIteration(lossAt, theta, tangent("v"), 8);
    const step = await compile(
      () => ({ next: v, eigenvalue }),
      {
        theta: { shape: theta.shape, dtype: "f64" },
        x: { shape: [BATCH, 6], dtype: "f64" },
        labels: { shape: [BATCH], dtype: "i32" },
        v: { shape: theta.shape, dtype: "f64" },
      },
      { threads: 1 },
    );
    let value = 0;
    const { theta: point, x, labels } = feeds;
    let vector: Float64Array = feeds.v;
    for (let i = 0; i < 20; i++) {
      const out = await step.run({ theta: point, x, labels, v: vector });
      vector = Float64Array.from(out.next);
      value = out.eigenvalue[0]!;
    }
    expect(relativeError([value], [golden.topEigenvalue])).toBeLessThan(POWER_ITERATION);
  });
});

describe("the third-order contraction T[u, u]", () => {
  let gradient: Executable;
  beforeAll(async () => {
    const dtype = "f64" as const;
    const spec = { theta: { shape: theta.shape, dtype }, x: { shape: [BATCH, 6], dtype } };
    gradient = await compile(
      () => ({ g: grad(loss, theta) }),
      { ...spec, labels: { shape: [BATCH], dtype: "i32" } },
      { threads: 1 },
    );
  });

  it("is the second difference of the gradient along u", async () => {
    const at = async (t: number) => {
      const point = along(feeds.theta, feeds.u, t);
      return Float64Array.from((await gradient.run({ theta: point, x: feeds.x, labels: feeds.labels })).g!);
    };
    const e = SECOND_DIFFERENCE_STEP;
    const [ahead, here, behind] = [await at(e), await at(0), await at(-e)];
    const numeric = here.map((g, i) => (ahead[i]! - 2 * g + behind[i]!) / e ** 2);
    expect(relativeError(numeric, golden.third)).toBeLessThan(SECOND_DIFFERENCE);
    expect(dotOf(numeric, numeric)).toBeGreaterThan(0);
  });
});
