import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { deflateSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import type { LoadOptions, Split } from "../src/data/dataset.ts";
import { readImageFile } from "../src/data/image-file.ts";
import { squareOf } from "../src/data/image-resize.ts";
import { decodeJpeg } from "../src/data/jpeg.ts";
import { loadDataset, loadRun, type Trained, train } from "../src/node.ts";
import { runFiles } from "../src/run/files.ts";
import type { SavedWeights } from "../src/train/examples.ts";
import { type FilePrediction, predictFiles } from "../src/train/predict.ts";
import { builtIn } from "../src/train/registry.ts";
import { scoreWeights } from "../src/train/restore.ts";
import { trainRun, trainRunOf } from "../src/train/run-dir.ts";
import { ConfigError, DataError } from "../src/util/errors.ts";
import { rng } from "../src/util/rng.ts";
import { chunk, picture, png } from "./support/png-file.ts";

const root = mkdtempSync(join(tmpdir(), "eigensam-folder-"));
afterAll(() => rmSync(root, { recursive: true }));
const at = (...names: readonly string[]) => join(root, ...names);
function file(name: string, bytes: Uint8Array): string {
  mkdirSync(dirname(at(name)), { recursive: true });
  writeFileSync(at(name), bytes);
  return at(name);
}

interface Golden {
  readonly file: string;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly pixels: string;
  readonly squares?: Readonly<Record<string, string>>;
}
const golden = JSON.parse(readFileSync(new URL("golden/images.json", import.meta.url), "utf8")) as Record<
  string,
  Golden
>;
const bytesOf = (base64: string) => Buffer.from(base64, "base64");
const goldenFile = (name: string) => bytesOf(golden[name]!.file);

describe("an image file", () => {
  it.each(Object.entries(golden).filter(([, { pixels }]) => pixels !== undefined))(
    "%s has Pillow's pixels",
    async (name, { width, height, channels, pixels }) => {
      const read = await readImageFile(file(`golden/${name}`, goldenFile(name)));
      expect(read).toMatchObject({ width, height, channels });
      expect(Buffer.from(read.data).equals(bytesOf(pixels))).toBe(true);
    },
  );

  it.each(
    Object.entries(golden).flatMap(([name, { squares = {} }]) =>
      Object.entries(squares).map(([size, square]) => [name, Number(size), square] as const),
    ),
  )("%s becomes a square of %i as by Pillow", async (name, size, square) => {
    const read = await readImageFile(file(`golden/${name}`, goldenFile(name)));
    const own = squareOf(read, size, name);
    expect([own.width, own.height]).toEqual([size, size]);
    expect(Buffer.from(own.data).equals(bytesOf(square))).toBe(true);
  });

  it("may be interlaced", async () => {
    // 3 × 3: passes of 1, 1 (row 0, column 2: pass 4), 2 × 1 (row 2: pass 5), 1 × 2 (column 1: pass 6) and 3 × 1 (row 1: pass 7) pixels.
    const raw = Uint8Array.of(0, 0, 0, 2, 0, 20, 22, 0, 1, 0, 21, 0, 10, 11, 12);
    const read = await readImageFile(file("i.png", png(3, 3, raw, { interlaced: true })));
    expect([...read.data]).toEqual([0, 1, 2, 10, 11, 12, 20, 21, 22]);
  });

  it("is read without what unpacks beside its pixels", async () => {
    const bomb = chunk("iCCP", Buffer.concat([Buffer.from("x\0\0", "latin1"), deflateSync(Buffer.alloc(2 ** 24))]));
    const read = await readImageFile(file("bomb.png", png(1, 1, Uint8Array.of(0, 7), { before: bomb })));
    expect([...read.data]).toEqual([7]);
  });

  const whole = goldenFile("colour.png");
  const jpeg = goldenFile("420.jpg");
  const sof = (bytes: Buffer) => bytes.indexOf(Buffer.from([0xff, 0xc0]));
  const changed = (bytes: Buffer, at: number, ...values: readonly number[]) => {
    const copy = Buffer.from(bytes);
    copy.set(values, at);
    return copy;
  };
  it.each<[string, string, Uint8Array, RegExp]>([
    ["empty", "a.png", Buffer.alloc(0), /neither PNG nor JPEG, but called as a PNG is/],
    ["a text", "a.jpg", Buffer.from("<html>"), /neither PNG nor JPEG, but called as a JPEG is/],
    ["a PNG called as a JPEG", "a.jpeg", whole, /a PNG, but called as a JPEG is/],
    ["a JPEG called as a PNG", "a.PNG", jpeg, /a JPEG, but called as a PNG is/],
    ["a PNG cut off", "a.png", whole.subarray(0, whole.length - 30), /damaged PNG: it ends too early/],
    ["a PNG with another byte", "a.png", changed(whole, whole.length - 20, 1, 2, 3), /damaged PNG/],
    ["a wrong checksum", "a.png", changed(whole, 29, 1), /damaged PNG: CRC mismatch/],
    ["2³⁰ pixels", "a.png", png(2 ** 15, 2 ** 15, Uint8Array.of(0)), /32768 × 32768 pixels, the most is/],
    ["2⁶² pixels", "a.png", png(2 ** 31, 2 ** 31, Uint8Array.of(0)), /2147483648 × 2147483648 pixels/],
    ["no pixels", "a.png", png(0, 1, Uint8Array.of(0)), /0 × 1 pixels/],
    ["pixels that miss", "a.png", png(2, 2, Uint8Array.of(0, 1, 2)), /fewer pixels than its header says/],
    ["pixels too many", "a.png", png(1, 1, Buffer.alloc(2 ** 24)), /more pixels than its header says/],
    ["no such filter", "a.png", png(1, 1, Uint8Array.of(9, 1)), /damaged PNG: Unsupported filter/],
    ["no such colour", "a.png", png(1, 1, Uint8Array.of(0, 1), { colour: 5 }), /colour type 5/],
    ["no palette", "a.png", png(1, 1, Uint8Array.of(0, 1), { colour: 3 }), /colour 1 of a palette of 0/],
    [
      "4 bits interlaced",
      "a.png",
      png(1, 1, Uint8Array.of(0, 1), { depth: 4, interlaced: true }),
      /without interlacing/,
    ],
    ["a JPEG cut off", "a.jpg", jpeg.subarray(0, jpeg.length - 60), /damaged JPEG: Premature end of JPEG file/],
    ["a JPEG cut off early", "a.jpg", jpeg.subarray(0, 40), /damaged JPEG: no header of a frame/],
    ["a JPEG of 2³² pixels", "a.jpg", changed(jpeg, sof(jpeg) + 5, 255, 255, 255, 255), /65535 × 65535 pixels/],
    ["a JPEG in CMYK", "a.jpg", goldenFile("cmyk.jpg"), /a JPEG of 4 components/],
  ])("that is %s ends in one error that names it", async (_what, name, bytes, message) => {
    const path = file(`broken/${name}`, bytes);
    const error = await readImageFile(path).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(DataError);
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message).toContain(path);
  });

  it("that is a JPEG with other bytes is read, or ends in an error of data", async () => {
    const random = rng(7, "damaged JPEG");
    const names = Object.keys(golden).filter((name) => name.endsWith(".jpg"));
    for (let i = 0; i < 40; i++) {
      const bytes = Buffer.from(goldenFile(names[i % names.length]!));
      for (let k = 0; k < 4; k++) bytes[3 + Math.floor(random.uniform() * (bytes.length - 3))] = random.uniform() * 256;
      await decodeJpeg(bytes, "x.jpg").catch((error: unknown) => expect(error).toBeInstanceOf(DataError));
    }
  });

  it("after a broken JPEG is read as ever", async () => {
    const cut = Buffer.concat([jpeg.subarray(0, sof(jpeg) + 19), Buffer.from([0xff, 0xda, 0, 2])]);
    await expect(readImageFile(file("broken/b.jpg", cut))).rejects.toThrow(DataError);
    const read = await readImageFile(file("golden/420.jpg", jpeg));
    expect(Buffer.from(read.data).equals(bytesOf(golden["420.jpg"]!.pixels))).toBe(true);
  });
});

const load = async (options: LoadOptions) => {
  const dataset = await loadDataset("folder", options);
  return { ...dataset, train: dataset.train as Split };
};

describe("a folder of images", () => {
  it("is examples by class, sorted by name, in channels first", async () => {
    for (const [name, value] of Object.entries({ "zebra/b": 1, "zebra/a": 2, "ant/x/deep": 3, "Bee/c": 4 }))
      file(
        `set/train/${name}.png`,
        picture(2, 3, (x, y, c) => 100 * c + 10 * value + 2 * y + x),
      );
    file("set/train/ant/notes.txt", Buffer.from("no image"));
    file("set/train/.cache/x.png", Buffer.from("hidden"));
    file(
      "set/test/ant/t.png",
      picture(2, 1, () => 9),
    );
    const { train, test, ...rest } = await load({ path: at("set") });
    expect(rest).toMatchObject({ inputShape: [3, 2, 2], targets: { kind: "labels", classes: 3 } });
    expect(rest.classNames).toEqual(["Bee", "ant", "zebra"]);
    expect([...train.y]).toEqual([0, 1, 2, 2]);
    const image = (value: number) => [0, 1, 2].flatMap((c) => [0, 1, 2, 3].map((p) => 100 * c + 10 * value + p));
    expect([...train.x]).toEqual([4, 3, 2, 1].flatMap(image));
    expect([[...test!.y], [...test!.x]]).toEqual([[1], new Array(12).fill(9)]);
    const reds = [4, 3, 2, 1].flatMap((value) => image(value).slice(0, 4)).map((v) => v / 255);
    const mean = reds.reduce((sum, v) => sum + v, 0) / 16;
    expect(rest.mean[0]).toBeCloseTo(mean, 12);
    expect(rest.std[0]).toBeCloseTo(Math.sqrt(reds.reduce((sum, v) => sum + (v - mean) ** 2, 0) / 16), 12);
  });

  it("without a folder test has no test examples, and greys stay grey", async () => {
    for (const name of ["a/1", "b/2"])
      file(
        `grey/train/${name}.png`,
        picture(3, 1, (x) => x),
      );
    const { test, inputShape } = await load({ path: at("grey") });
    expect([test, inputShape]).toEqual([undefined, [1, 3, 3]]);
  });

  it("has images of one size, or of the size that is asked for", async () => {
    file(
      "sizes/train/a/1.png",
      picture(3, 1, (x) => x),
    );
    file(
      "sizes/train/b/2.png",
      picture(4, 1, (x) => x),
    );
    await expect(load({ path: at("sizes") })).rejects.toThrow(
      /2\.png: an image \[1, 4, 4\], .*1\.png is \[1, 3, 3\]\n? *.*/,
    );
    expect((await load({ path: at("sizes"), size: 2 })).inputShape).toEqual([1, 2, 2]);
  });

  it.each<[string, Readonly<Record<string, Uint8Array>>, RegExp]>([
    ["no folder train", { "x/a.png": picture(1, 1, () => 1) }, /train cannot be read: .*/],
    ["no classes", { "train/a.png": picture(1, 1, () => 1) }, /train: no folders in it, expected one for each class/],
    ["one class", { "train/a/a.png": picture(1, 1, () => 1) }, /one class alone, a/],
    ["an empty class", { "train/a/a.png": picture(1, 1, () => 1), "train/b/x": Buffer.alloc(1) }, /b: no images in it/],
    [
      "a class in the test alone",
      {
        "train/a/a.png": picture(1, 1, () => 1),
        "train/b/b.png": picture(1, 1, () => 1),
        "test/c/c.png": picture(1, 1, () => 1),
      },
      /test: a class c, which no training image has/,
    ],
    [
      "colour in the test alone",
      {
        "train/a/a.png": picture(1, 1, () => 1),
        "train/b/b.png": picture(1, 1, () => 1),
        "test/a/c.png": picture(1, 3, () => 1),
      },
      /c\.png: an image \[3, 1, 1\], the network or the training images are \[1, 1, 1\]/,
    ],
  ])("with %s is refused", async (name, files, message) => {
    for (const [path, bytes] of Object.entries(files)) file(`${name}/${path}`, bytes);
    await expect(load({ path: at(name) })).rejects.toThrow(message);
    await expect(load({ path: at(name) })).rejects.toThrow(DataError);
  });

  it("must be named", async () => {
    await expect(load({})).rejects.toThrow(ConfigError);
    await expect(load({})).rejects.toThrow("data.name=folder needs data.path");
  });
});

describe("a run on a folder of images", () => {
  /** Left or right half bright, by class, with a value that is the image's own. */
  const bright = (right: boolean, i: number) =>
    picture(8, 1, (x, y) => (x >= 4 === right ? 200 : 20) + ((i * 7 + x * y) % 30));
  for (let i = 0; i < 24; i++)
    for (const name of ["right", "left"])
      file(`run/${i < 16 ? "train" : "test"}/${name}/${i}.png`, bright(name === "right", i));

  it("keeps the names of classes, scores the test folder, and predicts images", async () => {
    const run: Trained = await train({
      ...{ data: { name: "folder", path: at("run") }, dir: at("trained"), model: { name: "mlp", width: 4 } },
      ...{ method: { name: "sgd" }, optimizer: { lr: 0.1 }, epochs: 6, batch: 8, threads: 1 },
    }).done;
    expect(run.test!.accuracy).toBe(1);
    await run.release();
    const loaded = await loadRun(at("trained"));
    await loaded.release();
    const { format, digests } = trainRunOf(builtIn).readRecord(at("trained"))!.data;
    expect(format!.classNames).toEqual(["left", "right"]);
    const config = trainRun.readConfig(at("trained"));
    const saved: SavedWeights = {
      ...{ config, path: runFiles(at("trained")).weights, run: at("trained"), format, digests },
    };
    // The training images are no longer needed.
    rmSync(at("run/train"), { recursive: true });
    expect((await scoreWeights(saved, "test")).accuracy).toBe(1);
    const found: FilePrediction[] = [];
    const single = [file("new/r.png", bright(true, 99)), file("new/l.png", bright(false, 98))];
    for await (const prediction of predictFiles(saved, [...single, at("run/test")])) found.push(prediction);
    expect(found.map(({ images }) => images!.length)).toEqual([2, 8, 8]);
    expect(found[0]!.images).toEqual(single);
    for (const { images, data, classNames } of found)
      for (const [i, path] of images!.entries()) {
        const right = data[2 * i + 1]! > data[2 * i]!;
        expect(classNames![Number(right)]).toBe(/right|r\.png$/.test(path) ? "right" : "left");
      }
    const next = predictFiles(saved, [
      file(
        "new/big.png",
        picture(9, 1, () => 1),
      ),
    ]).next();
    await expect(next).rejects.toThrow(/big\.png: an image \[1, 9, 9\], the network .* \[1, 8, 8\]/);
  });
});
