import { beforeAll, describe, expect, it } from "vitest";
import { dot, grad } from "../src/graph/grad.ts";
import { attrsOf } from "../src/graph/op.ts";
import { conv2d, convInputOp, convOp, convWeightOp } from "../src/graph/ops/conv.ts";
import { type ConvAttrs, convOutputSize } from "../src/graph/ops/conv-attrs.ts";
import { add } from "../src/graph/ops/elementwise.ts";
import { input } from "../src/graph/ops/source.ts";
import type { Tensor } from "../src/graph/tensor.ts";
import { topological } from "../src/graph/walk.ts";
import { type AxisGeometry, planAxis, rankOf } from "../src/onnx/lower/axis-plan.ts";
import { blockedForward, blockedInput, blockedPlan } from "../src/onnx/lower/conv-blocked.ts";
import { convPlan, winogradConv, winogradConvInput, winogradConvWeight } from "../src/onnx/lower/conv-winograd.ts";
import { MAX_RANK, type Matrix, toomCook } from "../src/onnx/lower/toom-cook.ts";
import { rng } from "../src/util/rng.ts";
import { relativeError, uniform, vector } from "./support/numbers.ts";
import { evaluate } from "./support/reference.ts";
import { runOn } from "./support/run.ts";
import { F32, F64 } from "./tolerances.ts";

type Pair = readonly [number, number];

interface Geometry {
  readonly size: Pair;
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding: Pair;
  readonly batch: number;
  readonly channels: Pair;
}

const geometry = (size: Pair, kernel: Pair, stride: Pair, padding: Pair, batch: number, channels: Pair): Geometry => ({
  size,
  kernel,
  stride,
  padding,
  batch,
  channels,
});

const geometries: Readonly<Record<string, Geometry>> = {
  "3x3 on an even image": geometry([8, 8], [3, 3], [1, 1], [1, 1], 2, [4, 4]),
  "3x3 on a long odd image": geometry([5, 11], [3, 3], [1, 1], [1, 1], 3, [3, 2]),
  "3x3 with stride 2 on an odd image": geometry([7, 9], [3, 3], [2, 2], [1, 1], 2, [3, 4]),
  "3x3 with stride 2 on an even image": geometry([8, 6], [3, 3], [2, 2], [1, 1], 2, [2, 3]),
  "3x3 without padding": geometry([6, 7], [3, 3], [1, 1], [0, 0], 1, [2, 2]),
  "3x3 on one pixel": geometry([1, 1], [3, 3], [1, 1], [1, 1], 2, [3, 3]),
  "one image": geometry([4, 4], [3, 3], [1, 1], [1, 1], 1, [2, 3]),
  "5x5": geometry([6, 8], [5, 5], [1, 1], [2, 2], 2, [2, 2]),
  "5x5 with stride 2": geometry([9, 8], [5, 5], [2, 2], [2, 2], 1, [2, 2]),
  "1x1 with stride 2": geometry([5, 6], [1, 1], [2, 2], [0, 0], 2, [3, 2]),
  "a row kernel": geometry([3, 6], [1, 3], [1, 1], [0, 1], 2, [2, 2]),
  "other strides per axis": geometry([7, 8], [4, 3], [3, 2], [2, 1], 2, [2, 2]),
  "few channels in several blocks": geometry([16, 16], [3, 3], [1, 1], [1, 1], 12, [3, 4]),
  "few channels with stride 2": geometry([9, 7], [5, 4], [2, 2], [2, 1], 8, [2, 3]),
  "one channel": geometry([6, 6], [3, 3], [1, 1], [1, 1], 4, [1, 5]),
  "3x3 with enough channels for Winograd": geometry([16, 16], [3, 3], [1, 1], [1, 1], 4, [32, 32]),
  "3x3 with a block of channels": geometry([8, 8], [3, 3], [1, 1], [1, 1], 4, [16, 16]),
  "3x3 with stride 2 into two blocks": geometry([9, 8], [3, 3], [2, 2], [1, 1], 4, [16, 32]),
  "3x3 of few channels into two blocks": geometry([8, 8], [3, 3], [1, 1], [1, 1], 16, [3, 32]),
};
const named = Object.entries(geometries).map(([name, g]) => ({ name, ...g }));

/** The three contractions of one trilinear form, as they arise from differentiating a convolution. */
function contractions({ size, kernel, stride, padding, batch, channels: [c, k] }: Geometry, dtype: "f32" | "f64") {
  const x = input("x", [...size, batch, c], dtype);
  const w = input("w", [...kernel, c, k], dtype);
  const y = conv2d(x, w, { stride, padding });
  const seed = input("seed", y.shape, dtype);
  const [dx, dw] = grad(dot(y, seed), [x, w]) as [Tensor, Tensor];
  const feeds = { x: vector("x", x.shape), w: vector("w", w.shape), seed: vector("seed", y.shape) };
  return { outputs: { y, dx, dw }, inputs: { x, w, seed }, feeds };
}

describe("the lowerings of a convolution and its two adjoints agree in f32", () => {
  describe.each(named)("for $name", (g) => {
    const { outputs, feeds } = contractions(g, "f32");
    let native: Record<"y" | "dx" | "dw", ArrayLike<number>>;
    beforeAll(async () => {
      native = await runOn(outputs, feeds, { convolution: "native" });
    });

    it.each(["winograd", "direct"] as const)("%s against native", async (convolution) => {
      const results = await runOn(outputs, feeds, { convolution });
      for (const name of ["y", "dx", "dw"] as const)
        expect(relativeError(results[name], native[name]), name).toBeLessThan(F32);
    });
  });
});

describe("tiles of every size give the plain sum in f64", () => {
  const small = named.filter(({ batch }) => batch < 4);
  const axis = (g: Geometry, i: 0 | 1): AxisGeometry => ({
    length: g.size[i],
    kernel: g.kernel[i],
    stride: g.stride[i],
    padding: g.padding[i],
  });
  const tiles = [1, 2, 4];

  it.each(small)("for $name", (g) => {
    const { outputs, inputs, feeds } = contractions(g, "f64");
    const expected = evaluate(Object.values(outputs), feeds);
    const known = (i: 0 | 1) => tiles.filter((m) => rankOf(axis(g, i), m) !== undefined);
    const pairs = known(0).flatMap((h) => known(1).map((w) => [h, w] as const));
    expect(pairs.length).toBeGreaterThan(0);
    for (const [h, w] of pairs) {
      const plan = convPlan(planAxis(axis(g, 0), h, "f64"), planAxis(axis(g, 1), w, "f64"), "f64");
      const { x, w: weight, seed } = inputs;
      const tiled = [
        winogradConv(x, weight, plan),
        winogradConvInput(seed, weight, plan),
        winogradConvWeight(x, seed, plan, g.kernel),
      ];
      evaluate(tiled, feeds).forEach((values, i) => {
        expect(relativeError(values, expected[i]!), `tiles ${h}x${w}, contraction ${i}`).toBeLessThan(F64);
      });
    }
  });
});

describe("blocks of channels give the plain sum in f64", () => {
  const fitting = named
    .filter(({ batch }) => batch < 4)
    .flatMap((g) => {
      const plan = blockedPlan(g, ...g.channels, 2);
      return plan ? [{ ...g, plan }] : [];
    });

  it("for strides, odd images and planes", () => {
    const kinds = fitting.map(({ plan, stride }) => `${plan.lanes} ${stride}`);
    expect(new Set(kinds)).toEqual(new Set(["2 1,1", "2 2,2", "2 3,2"]));
    expect(fitting.some(({ size, stride }) => size[0] % stride[0] !== 0)).toBe(true);
  });

  it.each(fitting)("for $name", (g) => {
    const { outputs, inputs, feeds } = contractions(g, "f64");
    const { x, w, seed } = inputs;
    const blocked = [blockedForward(x, w, g.plan), blockedInput(seed, w, g.plan)];
    const expected = evaluate([outputs.y, outputs.dx], feeds);
    evaluate(blocked, feeds).forEach((values, i) => {
      expect(relativeError(values, expected[i]!), `contraction ${i}`).toBeLessThan(F64);
    });
  });
});

describe("Toom and Cook's algorithm", () => {
  const supported = [1, 2, 3, 4, 5, 6].flatMap((m) =>
    [1, 2, 3, 4, 5, 6].filter((k) => k === 1 || m + k - 1 <= MAX_RANK).map((k) => ({ m, k })),
  );
  const times = (matrix: Matrix, x: ArrayLike<number>) =>
    matrix.map((row) => row.reduce((total, value, i) => total + value * x[i]!, 0));

  it.each(supported)("correlates for $m outputs and $k taps with m + k - 1 products", ({ m, k }) => {
    const { At, G, Bt } = toomCook(m, k);
    const [x, w] = [uniform(rng(3, "x", m, k), m + k - 1), uniform(rng(3, "w", m, k), k)];
    const [transformedW, transformedX] = [times(G, w), times(Bt, x)];
    const y = times(
      At,
      transformedW.map((value, i) => value * transformedX[i]!),
    );
    const plain = Array.from({ length: m }, (_, o) => w.reduce((total, value, j) => total + value * x[o + j]!, 0));
    expect(G).toHaveLength(m + k - 1);
    expect(relativeError(y, plain)).toBeLessThan(F64);
  });
});

it("F(2,3) is the example of src/onnx/lower/axis-plan.ts", () => {
  const plain = (matrix: Matrix) => matrix.map((row) => row.map((value) => value + 0));
  const { At, G, Bt } = toomCook(2, 3);
  expect({ At: plain(At), G: plain(G), Bt: plain(Bt) }).toEqual({
    Bt: [
      [-1, 0, 1, 0],
      [0, 1, 1, 0],
      [0, -1, 1, 0],
      [0, -1, 0, 1],
    ],
    G: [
      [-1, 0, 0],
      [0.5, 0.5, 0.5],
      [0.5, -0.5, 0.5],
      [0, 0, 1],
    ],
    At: [
      [1, 1, 1, 0],
      [0, 1, -1, 1],
    ],
  });
  const { outputs, tiles, rank } = planAxis({ length: 4, kernel: 3, stride: 1, padding: 1 }, 2, "f32");
  expect({ outputs, tiles, rank }).toEqual({ outputs: 4, tiles: 2, rank: 4 });
});

it("the derivatives of a convolution of any order are the same three contractions of one geometry", () => {
  const { outputs, inputs } = contractions(geometries["3x3 with stride 2 on an odd image"]!, "f64");
  const second = grad(add(dot(outputs.dx, inputs.x), dot(outputs.dw, inputs.w)), [inputs.x, inputs.w]);
  const contractionsOf = (nodes: readonly Tensor[]) =>
    topological(nodes).flatMap(
      (node) => attrsOf(convOp, node) ?? attrsOf(convInputOp, node) ?? attrsOf(convWeightOp, node) ?? [],
    );
  const all = contractionsOf(second) as ConvAttrs[];
  expect(all.length).toBeGreaterThan(0);
  for (const attrs of all) {
    expect(attrs).toEqual(all[0]);
    expect(convOutputSize(attrs)).toEqual([4, 5]);
  }
});
