import { beforeAll, describe, expect, it } from "vitest";
import { dot, grad } from "../src/graph/grad.ts";
import { cast } from "../src/graph/ops/compare.ts";
import { add, maximum, minimum, mul, relu, stopGradient } from "../src/graph/ops/elementwise.ts";
import { ops } from "../src/graph/ops/index.ts";
import { max } from "../src/graph/ops/max.ts";
import { sum } from "../src/graph/ops/reduce.ts";
import { constant, input } from "../src/graph/ops/source.ts";
import { type DType, type FloatDType, isFloat, type Tensor } from "../src/graph/tensor.ts";
import type { Convolution } from "../src/runtime/device.ts";
import type { TypedArray } from "../src/runtime/session.ts";
import { along, dotOf, relativeError, vector } from "./support/numbers.ts";
import { evaluate, type Feeds } from "./support/reference.ts";
import { runOn } from "./support/run.ts";
import { type Case, cases } from "./support/samples.ts";
import { DIFFERENCE, DIFFERENCE_STEP, F32, F64 } from "./tolerances.ts";

const opNames = Object.keys(ops).filter((name) => name !== "input" && name !== "constant");
const merged = (all: readonly Case[]): Feeds => Object.assign({}, ...all.map(({ feeds }) => feeds));

const modes: readonly { dtype: FloatDType; convolution: Convolution; tolerance: number }[] = [
  { dtype: "f64", convolution: "direct", tolerance: F64 },
  { dtype: "f32", convolution: "direct", tolerance: F32 },
  { dtype: "f32", convolution: "winograd", tolerance: F32 },
  { dtype: "f32", convolution: "native", tolerance: F32 },
];

it("every op brings samples", () => {
  for (const name of opNames) expect(ops[name as keyof typeof ops].samples.length, name).toBeGreaterThan(0);
});

describe.each(modes)("in $dtype with $convolution convolutions, ONNX Runtime gives what naive loops give", (mode) => {
  const all = cases(mode.dtype);
  let results: Record<string, TypedArray>;
  beforeAll(async () => {
    results = await runOn(Object.fromEntries(all.map((c) => [c.label, c.output])), merged(all), mode);
  });

  it.each(opNames)("for %s", (name) => {
    for (const { label, output, feeds } of all.filter(({ op }) => op === name))
      expect(relativeError(results[label]!, evaluate([output], feeds)[0]!, 1), label).toBeLessThan(mode.tolerance);
  });
});

it("comparisons, maxima and selections of equal numbers are exact", async () => {
  const tied = new Set(["greater", "greaterEqual", "equal", "where", "maximum", "minimum", "max", "sign", "heaviside"]);
  for (const { dtype } of modes.slice(0, 2)) {
    const all = cases(dtype, "ties").filter(({ op }) => tied.has(op));
    const results = await runOn(Object.fromEntries(all.map((c) => [c.label, c.output])), merged(all));
    for (const { label, output, feeds } of all)
      expect([...results[label]!], label).toEqual([...evaluate([output], feeds)[0]!]);
  }
});

it("casts between all types keep small whole numbers, and truth where bool is involved", async () => {
  const dtypes: readonly DType[] = ["f32", "f64", "i32", "u8", "bool"];
  const feeds = Object.fromEntries(
    dtypes.map((from) => [`from_${from}`, from === "bool" ? [0, 1, 1, 0] : [0, 1, 7, 3]]),
  );
  const outputs = Object.fromEntries(
    dtypes.flatMap((from) => dtypes.map((to) => [`${from}_${to}`, cast(input(`from_${from}`, [4], from), to)])),
  );
  const results = await runOn(outputs, feeds);
  for (const [name, output] of Object.entries(outputs))
    expect([...results[name]!], name).toEqual([...evaluate([output], feeds)[0]!]);
});

/** s = Σ w·op(inputs), its gradient, and the products of its Hessian with two tangents t and u. */
interface Derivatives {
  readonly value: Tensor;
  readonly grads: readonly Tensor[];
  readonly Ht: readonly Tensor[];
  readonly Hu: readonly Tensor[];
}

const tangent = (label: string, x: Tensor) => constant(vector(label, x.shape), x.shape, x.dtype);

function derivativesOf({ label, inputs, output }: Case, wrt: readonly Tensor[]): Derivatives {
  const value = sum(mul(output, constant(vector(`${label}/w`, output.shape), output.shape, output.dtype)));
  const grads = grad(value, wrt);
  const times = (name: string) => {
    const terms = grads.map((g, i) => dot(g, tangent(`${label}/${name}${inputs.indexOf(wrt[i]!)}`, wrt[i]!)));
    return grad(terms.reduce(add), wrt);
  };
  return { value, grads, Ht: times("t"), Hu: times("u") };
}

/** stopGradient is not the derivative of what it computes: that is its purpose. */
const differentiable = cases("f64").filter(({ op, output }) => isFloat(output.dtype) && op !== "stopGradient");
const derived = differentiable.map((c) => {
  const wrt = c.inputs.filter(({ dtype }) => isFloat(dtype));
  const parts = derivativesOf(c, wrt);
  const names = wrt.map((x) => (x.attrs as { name: string }).name);
  return { ...c, ...parts, wrt, names };
});
const differentiated = [...new Set(derived.map(({ op }) => op))];

const shifted = (feeds: Feeds, name: string, by: ArrayLike<number>, t: number): Feeds => ({
  ...feeds,
  [name]: along(feeds[name]!, by, t),
});

const FEW = 16;

/** The unit vectors of a small space; of a large one as many random directions, none of which is orthogonal to what is wrong with a gradient. */
const directions = (label: string, length: number): Float64Array[] =>
  Array.from({ length: Math.min(length, FEW) }, (_, k) =>
    length <= FEW ? new Float64Array(length).fill(1, k, k + 1) : Float64Array.from(vector(`${label}/${k}`, [length])),
  );

describe("the gradient of a weighted sum of outputs is its central difference", () => {
  it.each(differentiated)("for %s", (name) => {
    for (const { label, feeds, value, grads, wrt, names } of derived.filter(({ op }) => op === name))
      evaluate(grads, feeds).forEach((gradient, i) => {
        const ways = directions(`${label}/${names[i]}`, gradient.length);
        const along = ways.map((way) => dotOf(gradient, way));
        const numeric = ways.map((way) => {
          const at = (t: number) => evaluate([value], shifted(feeds, names[i]!, way, t))[0]![0]!;
          return (at(DIFFERENCE_STEP) - at(-DIFFERENCE_STEP)) / (2 * DIFFERENCE_STEP);
        });
        expect(wrt[i]!.shape, label).toEqual(grads[i]!.shape);
        expect(relativeError(along, numeric, 1), `${label}, input ${i}`).toBeLessThan(DIFFERENCE);
      });
  });
});

describe("a Hessian-vector product is the central difference of the gradient, and symmetric", () => {
  const flat = (parts: readonly ArrayLike<number>[]) => parts.flatMap((part) => Array.from(part));

  it.each(differentiated)("for %s", (name) => {
    for (const { label, feeds, grads, Ht, Hu, wrt, names, inputs } of derived.filter(({ op }) => op === name)) {
      const tangents = (which: string) => wrt.map((x) => vector(`${label}/${which}${inputs.indexOf(x)}`, x.shape));
      const t = tangents("t");
      const at = (h: number) => {
        const moved = names.reduce((all, input, i) => shifted(all, input, t[i]!, h), feeds);
        return flat(evaluate(grads, moved));
      };
      const [ahead, behind] = [at(DIFFERENCE_STEP), at(-DIFFERENCE_STEP)];
      const numeric = ahead.map((x, i) => (x - behind[i]!) / (2 * DIFFERENCE_STEP));
      const product = flat(evaluate(Ht, feeds));
      expect(relativeError(product, numeric, 1), label).toBeLessThan(DIFFERENCE);

      const uHt = dotOf(flat(tangents("u")), product);
      const tHu = dotOf(flat(t), flat(evaluate(Hu, feeds)));
      expect(relativeError([uHt], [tHu], 1), `${label}, symmetry`).toBeLessThan(F64);
    }
  });
});

it("ONNX Runtime gives the derivatives that naive loops give, all ops in one session", async () => {
  const outputs = Object.fromEntries(
    derived.flatMap(({ label, grads, Ht }) => [
      ...grads.map((g, i) => [`${label}_grad${i}`, g] as const),
      ...Ht.map((h, i) => [`${label}_hvp${i}`, h] as const),
    ]),
  );
  const feeds = merged(derived);
  const results = await runOn(outputs, feeds, { convolution: "direct" });
  const expected = evaluate(Object.values(outputs), feeds);
  Object.keys(outputs).forEach((name, i) => {
    expect(relativeError(results[name]!, expected[i]!, 1), name).toBeLessThan(F64);
  });
});

describe("at kinks and ties the derivative is the documented one", () => {
  const at = (f: (x: Tensor) => Tensor, ...x: number[]) => {
    const variable = input("x", [x.length], "f64");
    return [...evaluate(grad(sum(f(variable)), [variable]), { x })[0]!];
  };
  const zero = constant(0, [], "f64");

  it("stopGradient lets nothing through", () => expect(at(stopGradient, 1, -2)).toEqual([0, 0]));
  it("relu has derivative 0 at 0", () => expect(at(relu, -1, 0, 1)).toEqual([0, 0, 1]));
  it("max shares a tie equally", () => expect(at((x) => max(x), 2, 1, 2)).toEqual([0.5, 0, 0.5]));
  it("maximum and minimum give a tie to the first operand", () => {
    expect(at((x) => maximum(x, zero), 0)).toEqual([1]);
    expect(at((x) => maximum(zero, x), 0)).toEqual([0]);
    expect(at((x) => minimum(x, zero), 0)).toEqual([1]);
    expect(at((x) => minimum(zero, x), 0)).toEqual([0]);
  });
});
