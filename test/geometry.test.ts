import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { batchMaker } from "../src/data/batch-maker.ts";
import { type Geometry, MOST, moveAtRandom, operations, transform } from "../src/data/geometry.ts";
import { augmentationOf } from "../src/train/augmentation.ts";
import { rng } from "../src/util/rng.ts";

interface Golden {
  readonly fill: number;
  readonly images: readonly { readonly width: number; readonly height: number; readonly pixels: string }[];
  readonly cases: readonly {
    readonly image: number;
    readonly operation: keyof typeof operations;
    readonly magnitude: number;
    readonly interpolation: Geometry["interpolation"];
    readonly pixels: string;
  }[];
}
const golden = JSON.parse(readFileSync(new URL("./golden/geometry.json", import.meta.url), "utf8")) as Golden;
const bytes = (text: string) => new Uint8Array(Buffer.from(text, "base64"));

describe("an image that is moved, turned or slanted", () => {
  it.each(golden.cases)("has Pillow's pixels: $operation $magnitude $interpolation, image $image", (one) => {
    const { width, height, pixels } = golden.images[one.image]!;
    const [gray, wanted] = [bytes(pixels), bytes(one.pixels)];
    // Two channels, so that each is seen to be treated alike.
    const source = new Uint8Array([...gray, ...gray.map((value) => 255 - value)]);
    const target = new Uint8Array(source.length).fill(1);
    const matrix = operations[one.operation](one.magnitude / MOST, { height, width });
    const { interpolation } = one;
    transform(target, source, [2, height, width], matrix, { interpolation, fill: golden.fill });
    expect([...target.subarray(0, gray.length)]).toEqual([...wanted]);
    if (interpolation === "nearest")
      for (const [i, value] of target.subarray(gray.length).entries())
        expect(value === golden.fill || value === 255 - wanted[i]!).toBe(true);
  });

  it("of floating point keeps what lies between", () => {
    const target = new Float32Array(4);
    const shape = [1, 1, 4] as const;
    transform(target, Float32Array.of(0, 1, 2, 3), shape, [1, 0, 0.25, 0, 1, 0], {
      interpolation: "bilinear",
      fill: -1,
    });
    expect([...target]).toEqual([0.25, 1.25, 2.25, 3]);
    transform(target, Float32Array.of(0, 1, 2, 3), shape, [1, 0, 1.5, 0, 1, 0], {
      interpolation: "bilinear",
      fill: -1,
    });
    expect([...target]).toEqual([1.5, 2.5, -1, -1]);
  });
});

const geometry: Geometry = { operations: 2, magnitude: 9, interpolation: "bilinear", fill: 0 };
const shape = [1, 8, 8] as const;
const image = Uint8Array.from({ length: 64 }, (_, i) => 100 + i);

describe("operations drawn at random", () => {
  it("are all of them, in both directions, as drawn one after another from the stream", () => {
    const names = Object.keys(operations) as (keyof typeof operations)[];
    const seen = new Set<string>();
    for (let seed = 0; seed < 60; seed++) {
      const [ours, theirs] = [rng(seed, "test"), rng(seed, "test")];
      const [target, wanted] = [image.slice(), image.slice()];
      moveAtRandom(target, shape, geometry, ours);
      for (let i = 0; i < geometry.operations; i++) {
        const name = names[Math.floor(names.length * theirs.uniform())]!;
        const sign = theirs.uniform() < 0.5 ? -1 : 1;
        seen.add(`${name} ${sign}`);
        const matrix = operations[name]((sign * 9) / 30, { height: 8, width: 8 });
        transform(wanted, wanted.slice(), shape, matrix, geometry);
      }
      expect([...target]).toEqual([...wanted]);
      expect(ours.uniform()).toBe(theirs.uniform());
    }
    expect(seen.size).toBe(2 * names.length);
  });

  it("are a function of seed, epoch and step, and change no other change", () => {
    const split = { x: new Uint8Array([...image, ...image.toReversed()]), y: Int32Array.of(0, 1), count: 2 };
    const plan = { inputShape: shape, batch: 2, seed: 3, augment: { crop: 1, flip: true, cutout: 0 } };
    const made = (augment: object, epoch: number, before: number[] = []) => {
      const make = batchMaker(split, { ...plan, augment: { ...plan.augment, ...augment } });
      const [x, y] = [new Uint8Array(128), new Int32Array(2)];
      for (const earlier of before) make(earlier, 0, x, y);
      make(epoch, 0, x, y);
      return [...x];
    };
    expect(made({ geometry }, 4)).toEqual(made({ geometry }, 4, [0, 1, 2, 3]));
    expect(made({ geometry }, 4)).not.toEqual(made({ geometry }, 5));
    expect(made({ geometry }, 4)).not.toEqual(made({}, 4));
    expect(made({ geometry: { ...geometry, magnitude: 0, interpolation: "nearest" } }, 4)).toEqual(made({}, 4));
  });
});

describe("data.randAugment", () => {
  const train = { x: image, y: Int32Array.of(0), count: 1 };
  const none = { crop: 0, flip: false, cutout: 0 };
  const of = (data: object, inputShape: readonly number[] = shape) =>
    augmentationOf({ ...none, ...data } as Parameters<typeof augmentationOf>[0], { inputShape, train });

  it("has torchvision's defaults", () => {
    expect(of({ randAugment: 2 })).toEqual({
      ...none,
      geometry: { operations: 2, magnitude: 9, interpolation: "nearest", fill: 0 },
    });
    expect(of({})).toBeUndefined();
    expect(of({ crop: 2 })).toEqual({ ...none, crop: 2 });
    expect(of({ crop: 2 }, [5])).toBeUndefined();
  });

  it("is refused where it has nothing to change, and its settings where it is not set", () => {
    expect(() => of({ magnitude: 5 })).toThrow(
      /data\.magnitude is 5, but data\.randAugment, which reads it, is not set/,
    );
    expect(() => of({ randAugment: 1 }, [5])).toThrow(/data\.randAugment is 1, but the inputs are \[n, 5\], no images/);
    const train = { like: undefined } as never;
    const data = { ...none, randAugment: 1 } as Parameters<typeof augmentationOf>[0];
    expect(() => augmentationOf(data, { inputShape: shape, train })).toThrow(/the batches come ready from a source/);
  });
});
