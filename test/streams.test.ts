import { describe, expect, it } from "vitest";
import { miniBatches } from "../src/curvature/problem.ts";
import { augmentInto } from "../src/data/augment.ts";
import { batchMaker, stepsPerEpoch } from "../src/data/batch-maker.ts";
import type { Split } from "../src/data/dataset.ts";
import { withLabelNoise } from "../src/data/label-noise.ts";
import { partsOf, select, splitValidation } from "../src/data/split.ts";
import { batchNorm, linear } from "../src/nn/layers.ts";
import { declare } from "../src/nn/scope.ts";
import { optimizers } from "../src/optim/optimizers.ts";
import { fixedBatches } from "../src/train/fixed-batches.ts";
import { initialState } from "../src/train/state.ts";
import { type Rng, rng } from "../src/util/rng.ts";
import { normOf } from "./support/numbers.ts";

/** The numbers 0 … n − 1 in the order of Fisher and Yates, from the last place down. */
function dealt(n: number, random: Rng): number[] {
  const order = Array.from({ length: n }, (_, i) => i);
  for (let last = n - 1; last >= 1; last--) {
    const other = Math.floor((last + 1) * random.uniform());
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}
const ascending = (values: readonly number[]) => [...values].sort((a, b) => a - b);

/** Example i has the inputs 3i … 3i + 2 and the target i. */
const numbered = (count: number): Split => ({
  x: Uint8Array.from({ length: 3 * count }, (_, at) => at),
  y: Int32Array.from({ length: count }, (_, i) => i),
  count,
});
const rowsOf = (examples: readonly number[]) => examples.flatMap((i) => [3 * i, 3 * i + 1, 3 * i + 2]);

describe("a stream of random numbers", () => {
  it.each([
    [["validation"], 0.48292940281033847],
    [["examples"], 0.414651057113101],
    [["label noise"], 0.4238389969493791],
    [["shuffle", 0], 0.511034462282828],
    [["shuffle", 1], 0.3701373751947601],
    [["augment", 0, 0], 0.2247384238442226],
    [["augment", 1, 2], 0.16679579423191893],
    [["theta", "out.weight"], 0.8216213264571496],
    [["buffers", "bn.running_mean"], 0.46307770434896844],
    [["eigenvector"], 0.27899026349235456],
    [["eigenvector", 3], 0.015323199393020293],
    [["noise", 3], 0.08558856349499044],
    [["probe"], 0.14127538008794194],
    [["probe", "start", 0], 0.3267866585848661],
    [["oracle"], 0.006795682782263723],
    [["curvature", "images"], 0.7184731984104553],
  ] as const)("of seed 1 and %j begins as ever, or runs of earlier versions cannot be repeated", (labels, first) => {
    expect(rng(1, ...labels).uniform()).toBe(first);
    expect(rng(2, ...labels).uniform()).not.toBe(first);
  });
});

describe("what is drawn by its own stream", () => {
  it("validation examples", () => {
    const { train, val } = splitValidation(numbered(30), 0.2, 4);
    const order = dealt(30, rng(4, "validation"));
    expect([...val.y]).toEqual(ascending(order.slice(0, 6)));
    expect([...train.y]).toEqual(ascending(order.slice(6)));
    expect([...val.x]).toEqual(rowsOf([...val.y]));
    expect([...train.x]).toEqual(rowsOf([...train.y]));
    expect([train.count, val.count]).toEqual([24, 6]);
  });

  it("training examples that are used, and their wrong labels", () => {
    const labels = { kind: "labels", classes: 30 } as const;
    const asked = { validation: 0, examples: 20, labelNoise: 0.25 };
    const { train, val } = partsOf({ train: numbered(30) }, asked, 7, labels);
    const chosen = ascending(dealt(30, rng(7, "examples")).slice(0, 20));
    expect([...train.x]).toEqual(rowsOf(chosen));
    // A label moves by 1 … classes − 1.
    const random = rng(7, "label noise");
    const expected = [...chosen];
    for (const at of dealt(20, random).slice(0, 5))
      expected[at] = (chosen[at]! + 1 + Math.floor(29 * random.uniform())) % 30;
    expect([...train.y]).toEqual(expected);
    expect(expected.filter((label, i) => label !== chosen[i])).toHaveLength(5);
    expect(val).toBeUndefined();
  });

  it("the order of an epoch, whose last examples are left out", () => {
    const make = batchMaker(numbered(11), { inputShape: [3], batch: 4, seed: 5 });
    const [x, y] = [new Uint8Array(12), new Int32Array(4)];
    // Back and forth, so that an order that is kept too long is seen.
    for (const [epoch, step] of [
      [0, 0],
      [1, 1],
      [0, 1],
      [2, 0],
    ] as const) {
      make(epoch, step, x, y);
      expect([...y]).toEqual(dealt(11, rng(5, "shuffle", epoch)).slice(4 * step, 4 * step + 4));
      expect([...x]).toEqual(rowsOf([...y]));
    }
  });

  it("whole targets of several numbers, in as many batches as are full", () => {
    const wide = { ...numbered(11), y: Float32Array.from({ length: 33 }, (_, at) => at / 4) };
    const y = new Float32Array(12);
    batchMaker(wide, { inputShape: [3], batch: 4, seed: 5 })(1, 1, new Uint8Array(12), y);
    const own = dealt(11, rng(5, "shuffle", 1)).slice(4, 8);
    expect([...y]).toEqual(own.flatMap((i) => [3 * i, 3 * i + 1, 3 * i + 2].map((at) => at / 4)));
    expect([stepsPerEpoch(11, 4), stepsPerEpoch(12, 4), stepsPerEpoch(3, 4)]).toEqual([2, 3, 0]);
  });

  it("changes of images, one stream for a batch", () => {
    const [size, count] = [8, 6];
    const split = {
      x: Uint8Array.from({ length: size * count }, (_, i) => i + 1),
      y: Int32Array.from({ length: count }, (_, i) => i),
      count,
    };
    const augment = { crop: 1, flip: true, cutout: 1 };
    const inputShape = [1, 2, 4];
    const make = batchMaker(split, { inputShape, batch: 3, seed: 5, augment });
    const [x, y] = [new Uint8Array(3 * size), new Int32Array(3)];
    for (const [epoch, step] of [
      [0, 0],
      [0, 1],
      [3, 1],
    ] as const) {
      make(epoch, step, x, y);
      const random = { plain: rng(5, "augment", epoch, step), geometry: rng(5, "geometry", epoch, step) };
      const expected = [...y].flatMap((i) => {
        const image = new Uint8Array(size);
        augmentInto(image, split.x.subarray(size * i, size * (i + 1)), inputShape, augment, random);
        return [...image];
      });
      expect([...x]).toEqual(expected);
    }
  });

  it("mini-batches that are fixed, of whole rows and targets", () => {
    const wide = { ...numbered(11), y: Float32Array.from({ length: 22 }, (_, at) => at / 2) };
    const order = dealt(11, rng(1, "any"));
    const batches = fixedBatches(wide, 4, 9, rng(1, "any"));
    expect(batches.map(({ rows }) => rows)).toEqual([4, 4]);
    batches.forEach(({ x, y }, b) => {
      const own = order.slice(4 * b, 4 * b + 4);
      expect([...x]).toEqual(rowsOf(own));
      expect([...y]).toEqual(own.flatMap((i) => [i, i + 0.5]));
    });
    expect(fixedBatches(wide, 4, 1, rng(1, "any"))).toEqual(batches.slice(0, 1));
    expect(fixedBatches(wide, 12, 9, rng(1, "any"))).toEqual([]);
    expect([...wide.x]).toEqual([...numbered(11).x]);
  });

  it("the first state", () => {
    const model = declare((scope, x) => linear(scope.at("out"), batchNorm(scope.at("bn"), x), 2), [3, 2]);
    const state = initialState(model, optimizers.adamw, { state: { slow: "theta", fast: "zeros" } as never }, 5);
    const names = model.parameters.entries.map(({ name }) => name);
    const bound = 1 / Math.sqrt(2);
    const drawn = (name: string, n: number) => {
      const random = rng(5, "theta", name);
      return Array.from({ length: n }, () => Math.fround(bound * (2 * random.uniform() - 1)));
    };
    const expected = {
      "bn.weight": [1, 1],
      "bn.bias": [0, 0],
      "out.weight": drawn("out.weight", 4),
      "out.bias": drawn("out.bias", 2),
    };
    expect([...state.theta]).toEqual(names.flatMap((name) => expected[name as keyof typeof expected]));
    expect(model.buffers.entries.map(({ name }) => name)).toEqual(["bn.running_mean", "bn.running_var"]);
    expect([...state.buffers]).toEqual([0, 0, 1, 1]);
    const random = rng(5, "eigenvector");
    const raw = Array.from({ length: 10 }, () => random.normal());
    expect([...state.v]).toEqual(raw.map((value) => Math.fround(value / normOf(raw))));
    expect(Object.keys(state.slots)).toEqual([...optimizers.adamw.slots]);
    for (const slot of Object.values(state.slots)) expect([...slot]).toEqual(new Array(10).fill(0));
    expect([...state.method.slow!]).toEqual([...state.theta]);
    expect(state.method.slow).not.toBe(state.theta);
    expect([...state.method.fast!]).toEqual(new Array(10).fill(0));
    expect(state).toMatchObject({ step: 0, probe: {}, quality: { made: false, failures: 0, at: 0 } });
  });
});

it("buffers that start at random have a stream of their own", () => {
  const model = declare(
    (scope, x) => {
      scope.buffer({ name: "noise", shape: [3], init: { uniform: 2 } });
      return linear(scope.at("out"), x, 1);
    },
    [3, 2],
  );
  const { buffers } = initialState(model, optimizers.sgd, { state: {} }, 5);
  const random = rng(5, "buffers", "noise");
  expect([...buffers]).toEqual(Array.from({ length: 3 }, () => Math.fround(2 * (2 * random.uniform() - 1))));
});

describe("parts of the examples", () => {
  const labels = { kind: "labels", classes: 30 } as const;
  const none = { validation: 0, examples: 0, labelNoise: 0 };

  it("are the data set's own where it has validation examples, whatever part is asked for", () => {
    const [train, val] = [numbered(30), numbered(4)];
    const parts = partsOf({ train, val }, { ...none, validation: 0.5 }, 1, labels);
    expect(parts.train).toBe(train);
    expect(parts.val).toBe(val);
    expect(partsOf({ train, val: { ...val, count: 0 } }, none, 1, labels).val).toBeUndefined();
    // No copy is made where there is nothing to part.
    expect(partsOf({ train }, none, 1, labels).train).toBe(train);
    expect(partsOf({ train }, none, 1, labels).val).toBeUndefined();
    // Less than half an example is none.
    expect(partsOf({ train }, { ...none, validation: 0.01 }, 1, labels).val).toBeUndefined();
  });

  it("keep what a stream gives, and refuse to change it", () => {
    const stream = { stepsPerEpoch: 3, batch: 2, like: new Float32Array(), open: () => [] as never };
    expect(partsOf({ train: stream }, { ...none, validation: 0.5 }, 1, labels)).toEqual({
      train: stream,
      val: undefined,
    });
    for (const changed of [{ examples: 2 }, { labelNoise: 0.1 }])
      expect(() => partsOf({ train: stream }, { ...none, ...changed }, 1, labels)).toThrow("these come from a stream");
  });

  it("may be drawn from examples without classes", () => {
    const values = { kind: "values", shape: [1] } as const;
    expect(partsOf({ train: numbered(30) }, { ...none, examples: 5 }, 1, values).train.count).toBe(5);
  });

  it("may be all examples, and one more is refused", () => {
    expect(partsOf({ train: numbered(30) }, { ...none, examples: 30 }, 1, labels).train).toEqual(numbered(30));
    expect(() => partsOf({ train: numbered(30) }, { ...none, examples: 31 }, 1, labels)).toThrow("data.examples is 31");
  });

  it("take noise with two classes, where it turns labels over, and not with one or none", () => {
    const of = (targets: Parameters<typeof partsOf>[3]) => () =>
      partsOf({ train: { ...numbered(4), y: Int32Array.of(0, 1, 0, 1) } }, { ...none, labelNoise: 1 }, 1, targets);
    expect([...of({ kind: "labels", classes: 2 })().train.y]).toEqual([1, 0, 1, 0]);
    for (const targets of [{ kind: "labels", classes: 1 }, { kind: "values", shape: [2] }, undefined] as const)
      expect(of(targets)).toThrow("no labels of several classes");
  });

  it("with noise leave the rest as it was", () => {
    const split = numbered(20);
    const noisy = withLabelNoise(split, 20, 0.125, rng(1, "x"));
    // 2.5 are rounded to 3.
    expect([...noisy.y].filter((label, i) => label !== i)).toHaveLength(3);
    expect(noisy.x).toBe(split.x);
    expect([...split.y]).toEqual([...numbered(20).y]);
  });

  it("of nothing are nothing, in arrays of the same type", () => {
    const nothing = select({ x: new Uint8Array(), y: new Float32Array(), count: 0 }, new Int32Array());
    expect(nothing).toEqual({ x: new Uint8Array(), y: new Float32Array(), count: 0 });
    const some = select({ ...numbered(5), y: Float32Array.from({ length: 10 }, (_, i) => i) }, Int32Array.of(4, 1));
    expect(some).toEqual({ x: Uint8Array.from(rowsOf([4, 1])), y: Float32Array.of(8, 9, 2, 3), count: 2 });
  });
});

describe("mini-batches that are measured", () => {
  const format = { inputShape: [3] };
  it("are the first in order, or in the order given, and the last may be short", () => {
    const wide = { ...numbered(7), y: Float32Array.from({ length: 14 }, (_, at) => at / 2) };
    const seen = (batches: ReturnType<typeof miniBatches>) =>
      batches.map(({ x, y, rows }) => ({ x: [...x], y: [...y], rows }));
    const expected = (groups: readonly (readonly number[])[]) =>
      groups.map((own) => ({ x: rowsOf(own), y: own.flatMap((i) => [i, i + 0.5]), rows: own.length }));
    expect(seen(miniBatches(wide, format, 3, "all"))).toEqual(expected([[0, 1, 2], [3, 4, 5], [6]]));
    expect(seen(miniBatches(wide, format, 3, 2))).toEqual(
      expected([
        [0, 1, 2],
        [3, 4, 5],
      ]),
    );
    const order = Int32Array.of(6, 2, 4, 0, 1, 5, 3);
    expect(seen(miniBatches(wide, format, 3, "all", order))).toEqual(expected([[6, 2, 4], [0, 1, 5], [3]]));
    expect(miniBatches(wide, format, 3, 3)).toHaveLength(3);
    expect(() => miniBatches(wide, format, 3, 4)).toThrow("batches is 4, but 7 examples make 3 mini-batches of 3");
  });
});
