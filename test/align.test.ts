import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { NamedMethod } from "../src/api/options.ts";
import { batchNorm, linear, type Network, tanh } from "../src/index.ts";
import { train, type TrainEvent } from "../src/node.ts";
import { constant, input } from "../src/graph/ops/source.ts";
import { mul } from "../src/graph/ops/elementwise.ts";
import { sum } from "../src/graph/ops/reduce.ts";
import type { Tensor } from "../src/graph/tensor.ts";
import { aligned } from "../src/optim/align.ts";
import type { Method } from "../src/optim/method.ts";
import { trainingMethods } from "../src/optim/methods/index.ts";
import { optimizers } from "../src/optim/optimizers.ts";
import { trainingStep } from "../src/optim/training-step.ts";
import { runFiles } from "../src/run/files.ts";
import { ConfigError } from "../src/util/errors.ts";
import { regressionData } from "./support/linear.ts";
import { along, dotOf, normOf, relativeError, vector } from "./support/numbers.ts";
import { evaluate } from "./support/reference.ts";
import { F64 } from "./tolerances.ts";

const folder = mkdtempSync(join(tmpdir(), "eigensam-align-"));
afterAll(() => rmSync(folder, { recursive: true }));

const methods = Object.values<Method>(trainingMethods);
const alignable = [
  ...["sam", "usam", "asam", "f-sam", "vasso", "gsam", "wsam", "asam-eta", "cr-sam", "look-sam", "ae-sam"],
] as const;

const N = 6;
const unit = (x: ArrayLike<number>) => Float64Array.from(x, (value) => value / normOf(x));
const [theta, v] = [input("theta", [N], "f64"), input("v", [N], "f64")];
const at = { theta: vector("theta", [N]), v: unit(vector("v", [N])) };
const curvature = constant(
  Float64Array.from({ length: N }, (_, i) => 0.5 + i),
  [N],
  "f64",
);
/** ½ Σ aᵢθᵢ², so ∇f = a·θ. */
const f = (x: Tensor) => mul(0.5, sum(mul(curvature, mul(x, x))));
const gradient = (x: ArrayLike<number>) => Float64Array.from(x, (value, i) => (0.5 + i) * value);

describe("alignment with v", () => {
  it("is there for these methods, and refused for others with the reason", () => {
    const takes = methods.filter((method) => method.ascent !== undefined && method.unaligned === undefined);
    expect(takes.map(({ name }) => name)).toEqual([...alignable]);
    for (const method of methods.filter(({ name }) => !(alignable as readonly string[]).includes(name))) {
      expect(() => aligned(method), method.name).toThrow(ConfigError);
      expect(() => aligned(method)).toThrow(`${method.name} has no alignment with v`);
    }
    expect(() => aligned(trainingMethods.sgd)).toThrow("it takes no gradient at θ + ε");
    expect(() => aligned(trainingMethods["eigen-sam"])).toThrow("method.alpha");
  });

  it.each(alignable)("turns the ε of %s by the formula, and keeps its part along it", (name) => {
    const method: Method = trainingMethods[name];
    const values = Object.fromEntries(Object.entries(method.hyper).map(([key, { default: value }]) => [key, value]));
    const states = Object.fromEntries(
      Object.keys(method.state).map((key) => [key, constant(vector(key, [N]), [N], "f64")]),
    );
    const [mask, step] = [constant(1, [N], "f64"), constant(3, [], "f64")];
    const g = mul(curvature, theta);
    const point = { f, theta, g, v, mask, step };
    const plain = method.descend(point, { ...values, ...states });
    const turned = aligned(method).descend(point, { ...values, ...states, align: 0.7 });
    const zero = aligned(method).descend(
      { ...point, v: constant(0, [N], "f64") },
      { ...values, ...states, align: 0.7 },
    );
    const [own, found, without] = evaluate([plain.epsilon!, turned.epsilon!, zero.epsilon!], at) as [
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    const [u, c] = [unit(own), dotOf(unit(own), at.v)];
    const expected = along(u, along(at.v, u, -c), 0.7 * Math.sign(c)).map((x) => x * normOf(own));
    expect(relativeError(found, expected)).toBeLessThan(F64);
    expect(relativeError([dotOf(found, u)], [normOf(own)])).toBeLessThan(F64);
    expect(relativeError(without, own)).toBeLessThan(F64);
  });

  it("lets v follow the change of the gradient, and not what the method makes of it", () => {
    const gsam = aligned(trainingMethods.gsam);
    const settings = { momentum: 0, nesterov: false, weightDecay: 0, beta1: 0, beta2: 0, eps: 0 };
    const step = trainingStep({
      ...{ f, theta, v, method: gsam, values: { rho: 0.3, alpha: 0.9, align: 0.7 }, follow: 0.2, settings },
      ...{ optimizer: optimizers.sgd, slots: { momentum_buffer: constant(0, [N], "f64") }, scalars: {}, lr: 1 },
    });
    const [next] = evaluate([step.v!], at);
    const ghat = unit(gradient(at.theta));
    const c = dotOf(ghat, at.v);
    const epsilon = along(ghat, along(at.v, ghat, -c), 0.7 * Math.sign(c)).map((x) => 0.3 * x);
    const side = Math.sign(dotOf(epsilon, at.v));
    const expected = unit(
      along(
        at.v.map((x) => 0.8 * x),
        unit(gradient(epsilon)),
        0.2 * side,
      ),
    );
    expect(relativeError(next!, expected)).toBeLessThan(1e-9);
  });
});

const [COUNT, CLASSES] = [16, 3];
const { x } = regressionData(COUNT, 2);
const y = { data: Int32Array.from({ length: COUNT }, (_, i) => i % CLASSES), shape: [COUNT] };
const model: Network = (scope, inputs) =>
  linear(scope.at("out"), tanh(batchNorm(scope.at("bn"), linear(scope.at("in"), inputs, 4))), CLASSES);
const options = { data: { train: { x, y } }, model, epochs: 1, batch: 4, threads: 1 } as const;
const named = (name: string, align?: number) => ({ name, ...(align === undefined ? {} : { align }) }) as NamedMethod;

describe("a training run with method.align", () => {
  it("0 is the method to the last bit, and with another number is not", async () => {
    const plain = await train({ ...options, method: "f-sam" }).done;
    expect((await train({ ...options, method: named("f-sam", 0) }).done).weights()).toEqual(plain.weights());
    expect((await train({ ...options, method: named("f-sam", 0.5) }).done).weights()).not.toEqual(plain.weights());
  });

  it("is refused where the method has no such ε", async () => {
    await expect(train({ ...options, method: named("msam", 0.2) }).done).rejects.toThrow("its ε leads downhill");
    await expect(train({ ...options, method: named("sam", -1) }).done).rejects.toThrow("method.align");
  });

  it.each(["f-sam", "look-sam"])("resumes to the same bytes, estimates and all: %s", async (name) => {
    const [whole, halves] = ["whole", "halves"].map((kind) => join(folder, `${kind}-${name}`)) as [string, string];
    const own = { ...options, method: named(name, 0.5), checkpointEvery: 1 };
    await train({ ...own, dir: whole }).done;
    const controller = new AbortController();
    let steps = 0;
    const onEvent = ({ event }: TrainEvent) => {
      if (event === "step" && ++steps === 2) controller.abort();
    };
    await train({ ...own, dir: halves }, { onEvent, signal: controller.signal }).done;
    await train({ ...own, dir: halves }).done;
    const bytes = (run: string) => [runFiles(run).metrics, runFiles(run).weights].map((file) => readFileSync(file));
    expect(bytes(halves)).toEqual(bytes(whole));
    const lines = readFileSync(runFiles(whole).metrics, "utf8");
    expect(lines).toContain('"kind":"refresh"');
    expect(lines).toContain('"cosEpsV"');
    const record = JSON.parse(readFileSync(runFiles(whole).record, "utf8")) as { method: object };
    expect(record.method).toMatchObject({ name, eigenvector: true, title: expect.stringMatching(/ aligned$/) });
  });
});
