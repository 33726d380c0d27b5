import { expect, it } from "vitest";
import { grad } from "../src/graph/grad.ts";
import { conv2d } from "../src/graph/ops/conv.ts";
import { add, mul, relu } from "../src/graph/ops/elementwise.ts";
import { sum } from "../src/graph/ops/reduce.ts";
import { input } from "../src/graph/ops/source.ts";
import { simplify } from "../src/graph/simplify.ts";
import type { Tensor } from "../src/graph/tensor.ts";
import { topological } from "../src/graph/walk.ts";
import { scaleWeights } from "../src/onnx/lower/channel-scale.ts";
import { standardize } from "../src/nn/functions.ts";
import { sameShape } from "../src/util/shape.ts";
import { relativeError, vector } from "./support/numbers.ts";
import { evaluate } from "./support/reference.ts";
import { F64 } from "./tolerances.ts";

const IMAGES = [6, 6, 3, 4];
const shapes = { x: IMAGES, w1: [3, 3, 4, 4], w2: [3, 3, 4, 4], gamma: [4], beta: [4], g: IMAGES };
type Name = keyof typeof shapes;

const [x, w1, w2, gamma, beta, g] = Object.entries(shapes).map(([name, shape]) => input(name, shape, "f64")) as [
  Tensor,
  Tensor,
  Tensor,
  Tensor,
  Tensor,
  Tensor,
];

/** relu(BN(conv)) twice: both gradients that convolutions read come from behind a batch normalization. */
function gradients(): Tensor[] {
  const layer = (t: Tensor, w: Tensor) => {
    const { y } = standardize(conv2d(t, w, { padding: 1 }), [0, 1, 2], 1e-5);
    return relu(add(mul(y, gamma), beta));
  };
  return grad(sum(mul(layer(layer(x, w1), w2), g)), [x, w1, w2, gamma, beta]);
}

const products = (outputs: readonly Tensor[]): number =>
  topological(outputs).filter((node) => node.op.name === "mul" && sameShape(node.shape, IMAGES)).length;

const feeds = (gammas: readonly number[]) => ({
  ...Object.fromEntries((Object.keys(shapes) as Name[]).map((name) => [name, vector(name, shapes[name])])),
  gamma: gammas,
});

it("behind batch normalizations every gradient takes one pass less, and keeps its values, also where a weight is zero", () => {
  const plain = simplify(gradients());
  const scaled = simplify(scaleWeights(plain));
  expect(products(scaled)).toBe(products(plain) - 2);
  for (const gammas of [
    [1, 0.5, -2, 3],
    [0, 1, 0, -1],
  ]) {
    const expected = evaluate(plain, feeds(gammas));
    evaluate(scaled, feeds(gammas)).forEach((value, i) => {
      expect(relativeError(value, expected[i]!, 1)).toBeLessThan(F64);
    });
  }
});

it("takes the scale of a sum or of one image, but not where something else reads the gradient or the weights are larger", () => {
  const s = input("s", [4], "f64");
  const big = input("v", [3, 3, 4, 64], "f64");
  const read = (y: Tensor, w: Tensor) => grad(sum(mul(conv2d(x, w, { padding: 1 }), y)), [x, w]);
  const scaled = add(mul(g, s), mul(mul(x, g), s));
  const alone = simplify(read(scaled, w1));
  expect(products(scaleWeights(alone))).toBe(products(alone) - 2);
  const single = simplify(read(mul(g, s), w1));
  expect(products(scaleWeights(single))).toBe(products(single) - 1);
  const shared = simplify([...read(scaled, w1), scaled]);
  expect(products(scaleWeights(shared))).toBe(products(shared));
  const wide = input("h", [6, 6, 3, 64], "f64");
  const t = input("t", [64], "f64");
  const large = simplify(read(add(mul(wide, t), mul(mul(wide, wide), t)), big));
  expect(topological(scaleWeights(large)).length).toBe(topological(large).length);
});
