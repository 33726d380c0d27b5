import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { augmentInto } from "../src/data/augment.ts";
import { openBatches, openSource } from "../src/data/batches.ts";
import { batchMaker } from "../src/data/batch-maker.ts";
import { decodeCifar } from "../src/data/cifar.ts";
import type { Split } from "../src/data/dataset.ts";
import { DEBIAN_FOLDER, fashionMiniFolder } from "../src/data/fashion.ts";
import { fetchFile } from "../src/data/fetch.ts";
import { readMaybeGzip } from "../src/data/files.ts";
import { decodeIdx } from "../src/data/idx.ts";
import { datasetNames, loadDataset } from "../src/data/index.ts";
import { splitValidation } from "../src/data/split.ts";
import { decodeSvhn } from "../src/data/svhn.ts";
import { DataError, EigensamError } from "../src/util/errors.ts";
import { decodeNpy } from "../src/util/npy.ts";
import { rng } from "../src/util/rng.ts";
import { image } from "./support/pictures.ts";

const golden = (name: string) => fileURLToPath(new URL(`golden/${name}`, import.meta.url));
const read = (name: string) => new Uint8Array(readFileSync(golden(name)));
const temporary = () => mkdtempSync(join(tmpdir(), "eigensam-data-"));

describe("fashion-mini", () => {
  it("has the checksums of its provenance", () => {
    const lines = readFileSync(join(fashionMiniFolder(), "PROVENANCE.md"), "utf8").match(/[0-9a-f]{64} {2}\S+/g)!;
    expect(lines).toHaveLength(4);
    for (const line of lines) {
      const [sum, name] = line.split("  ") as [string, string];
      expect(
        createHash("sha256")
          .update(readFileSync(join(fashionMiniFolder(), name)))
          .digest("hex"),
        name,
      ).toBe(sum);
    }
  });

  it.skipIf(!existsSync(DEBIAN_FOLDER))("is the beginning of Fashion-MNIST as Debian has it", async () => {
    const [mini, full] = [
      await loadDataset("fashion-mini"),
      await loadDataset("fashion-mnist", { dir: DEBIAN_FOLDER }),
    ];
    for (const part of ["train", "test"] as const) {
      const { x: images, y: labels, count } = mini[part];
      expect(Buffer.from(images as Uint8Array).equals(Buffer.from(full[part].x.subarray(0, count * 784)))).toBe(true);
      expect(labels).toEqual(full[part].y.subarray(0, count));
    }
    expect([full.train.count, full.test.count]).toEqual([60_000, 10_000]);
  });

  it("has ten classes about equally often", async () => {
    const { train, test, inputShape } = await loadDataset("fashion-mini");
    expect([train.count, test.count, inputShape]).toEqual([10_000, 2_000, [1, 28, 28]]);
    for (let label = 0; label < 10; label++) {
      const count = train.y.filter((each) => each === label).length;
      expect(count).toBeGreaterThan(900);
    }
  });
});

describe("files of the published formats", () => {
  it.each(["svhn.mat", "svhn-plain.mat"])("%s, by SciPy: axes turned, ten is zero", (name) => {
    const { x: images, y: labels, count } = decodeSvhn(read(name), name);
    expect([count, ...labels]).toEqual([3, 1, 0, 9]);
    for (let i = 0; i < 3; i++) expect([...images.subarray(i * 3072, (i + 1) * 3072)]).toEqual(image(i, [3, 32, 32]));
  });

  it("CIFAR-10's archive, by tarfile", async () => {
    const dir = temporary();
    copyFileSync(golden("cifar-10-binary.tar.gz"), join(dir, "cifar-10-binary.tar.gz"));
    const { train, test, targets } = await loadDataset("cifar10", { dir });
    expect([targets.classes, ...train.y, ...test.y]).toEqual([10, 0, 1, 2, 3, 4, 5]);
    expect([...train.x.subarray(0, 3072)]).toEqual(image(1, [3, 32, 32]));
    expect([...test.x]).toEqual(image(6, [3, 32, 32]));
  });

  it("CIFAR-100's records, whose second label counts", () => {
    const bytes = Uint8Array.from([19, 77, ...image(2, [3, 32, 32])]);
    const { y: labels, x: images } = decodeCifar([bytes], { labelBytes: 2, classes: 100 }, "train.bin");
    expect([...labels]).toEqual([77]);
    expect([...images]).toEqual(image(2, [3, 32, 32]));
  });

  it(".npy, by NumPy", () => {
    expect(decodeNpy(read("images-u1.npy"), "x")).toMatchObject({ shape: [5, 1, 4, 6] });
    expect([...decodeNpy(read("images-u1.npy"), "x").data.subarray(24, 48)]).toEqual(image(1, [1, 4, 6]));
    expect([...decodeNpy(read("images-f4.npy"), "x").data.subarray(0, 24)]).toEqual(
      image(0, [1, 4, 6]).map((v) => v / 8),
    );
    expect([...decodeNpy(read("labels-i8.npy"), "y").data]).toEqual([0, 2, 1, 1, 0]);
  });

  it("one's own images: bytes are normalized, numbers used as they are", async () => {
    const labels = golden("labels-i8.npy");
    const of = (images: string) => loadDataset("npy", { images, labels, testImages: images, testLabels: labels });
    const bytes = await of(golden("images-u1.npy"));
    const pixels = Array.from({ length: 5 }, (_, i) => image(i, [1, 4, 6]).map((v) => v / 255)).flat();
    const mean = pixels.reduce((a, b) => a + b) / pixels.length;
    expect(bytes).toMatchObject({
      targets: { kind: "labels", classes: 3 },
      inputShape: [1, 4, 6],
      train: { count: 5 },
    });
    expect(bytes.mean[0]).toBeCloseTo(mean, 10);
    expect(bytes.std[0]).toBeCloseTo(Math.sqrt(pixels.reduce((s, v) => s + (v - mean) ** 2, 0) / pixels.length), 10);
    expect(await of(golden("images-f4.npy"))).toMatchObject({ mean: [0], std: [1] });
  });

  it.each<[string, () => unknown, string]>([
    [
      "a missing set",
      () => loadDataset("cifar10", { dir: temporary() }),
      "eigensam data fetch cifar10, or set data.dir",
    ],
    [
      "missing paths",
      () => loadDataset("npy", { images: "x.npy" }),
      "data.name=npy needs data.labels, data.testImages",
    ],
    [
      "an IDX file of another rank",
      async () => decodeIdx(Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 0), "a", 3),
      "a: 1 dimensions, expected 3",
    ],
    [
      "an IDX file cut short",
      async () => decodeIdx(Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 9, 1), "a", 1),
      "a: 1 bytes of data, expected 9",
    ],
    [
      "a label out of range",
      async () => decodeCifar([new Uint8Array(3073).fill(10)], { labelBytes: 1, classes: 10 }, "a"),
      "a: label 10 of image 0, expected 0 … 9",
    ],
  ])("%s gives one clear error", async (_, load, message) => {
    const failure = Promise.resolve().then(load);
    await expect(failure).rejects.toThrow(EigensamError);
    await expect(failure).rejects.toThrow(message);
  });
});

describe("a gzip file that is damaged", () => {
  it("is named", () => {
    const path = join(temporary(), "x.gz");
    writeFileSync(path, Uint8Array.of(0x1f, 0x8b, 8, 0, 1, 2, 3));
    expect(() => readMaybeGzip(path)).toThrow(`${path}: damaged gzip file`);
  });
});

describe("validation split", () => {
  it("parts the images, by the seed alone", () => {
    const split: Split = {
      x: Uint8Array.from({ length: 40 }, (_, i) => i >> 1),
      y: Int32Array.from({ length: 20 }, (_, i) => i),
      count: 20,
    };
    const { train, val } = splitValidation(split, 0.25, 3);
    expect([train.count, val.count]).toEqual([15, 5]);
    expect([...train.y, ...val.y].sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    for (const part of [train, val]) expect([...part.y]).toEqual([...part.y].map((_, i) => part.x[2 * i]));
    expect(splitValidation(split, 0.25, 3)).toEqual({ train, val });
    expect(splitValidation(split, 0.25, 4).val.y).not.toEqual(val.y);
  });
});

describe("augmentation", () => {
  const shape = [1, 4, 5] as const;
  const source = Uint8Array.from({ length: 20 }, (_, i) => i + 1);
  const draw = (augment: { crop: number; flip: boolean; cutout: number }, seed: number) => {
    const target = new Uint8Array(20).fill(99);
    augmentInto(target, source, shape, augment, { plain: rng(seed, "test"), geometry: rng(seed, "unused") });
    return target;
  };

  it("off leaves an image as it is", () => {
    expect(draw({ crop: 0, flip: false, cutout: 0 }, 1)).toEqual(source);
  });

  it("flips half of the images", () => {
    const mirrored = Uint8Array.from(source, (_, at) => source[at - (at % 5) + 4 - (at % 5)]!);
    const drawn = Array.from({ length: 400 }, (_, seed) => draw({ crop: 0, flip: true, cutout: 0 }, seed));
    const flips = drawn.filter((each) => Buffer.from(each).equals(Buffer.from(mirrored))).length;
    expect(drawn.every((each) => [source, mirrored].some((x) => Buffer.from(each).equals(Buffer.from(x))))).toBe(true);
    expect(flips).toBeGreaterThan(160);
    expect(flips).toBeLessThan(240);
  });

  it("crops by every shift about equally often, with zeros outside", () => {
    const seen = new Map<string, number>();
    for (let seed = 0; seed < 900; seed++) {
      const key = draw({ crop: 1, flip: false, cutout: 0 }, seed).join();
      seen.set(key, (seen.get(key) ?? 0) + 1);
    }
    const shifted = (dy: number, dx: number) =>
      Array.from({ length: 20 }, (_, at) => {
        const [y, x] = [Math.floor(at / 5) + dy, (at % 5) + dx];
        return y < 0 || y >= 4 || x < 0 || x >= 5 ? 0 : source[5 * y + x]!;
      }).join();
    const all = [-1, 0, 1].flatMap((dy) => [-1, 0, 1].map((dx) => shifted(dy, dx)));
    expect([...seen.keys()].sort()).toEqual(all.sort());
    for (const count of seen.values()) expect(count).toBeGreaterThan(60);
  });

  it("cuts out a square, less where it meets the border", () => {
    const zeros = Array.from(
      { length: 200 },
      (_, seed) => draw({ crop: 0, flip: false, cutout: 2 }, seed).filter((v) => v === 0).length,
    );
    expect(Math.max(...zeros)).toBe(4);
    expect(zeros.every((n) => [1, 2, 4].includes(n))).toBe(true);
  });
});

describe("batches", () => {
  const count = 23;
  const split: Split = {
    x: Uint8Array.from({ length: count * 16 }, (_, i) => (i * 7) % 251),
    y: Int32Array.from({ length: count }, (_, i) => i),
    count,
  };
  const plan = { inputShape: [1, 4, 4], batch: 5, seed: 9, augment: { crop: 1, flip: true, cutout: 2 } } as const;

  it("by the worker are those of the pure function, in order, from anywhere", async () => {
    const make = batchMaker(split, plan);
    const stream = openBatches(split, { ...plan, from: { epoch: 1, step: 2 }, epochs: 3 });
    expect(stream.stepsPerEpoch).toBe(4);
    const places = [
      [1, 2],
      [1, 3],
      [2, 0],
      [2, 1],
      [2, 2],
      [2, 3],
    ] as const;
    for (const [epoch, step] of places) {
      const next = await stream.next();
      const [images, labels] = [new Uint8Array(80), new Int32Array(5)];
      make(epoch, step, images, labels);
      expect(next?.x).toEqual(images);
      expect(next?.y).toEqual(labels);
    }
    expect(await stream.next()).toBeUndefined();
    await stream.close();
  });

  it("without augmentation are gathered in place, the same as a worker's that changes nothing", async () => {
    const { augment: _, ...plain } = plan;
    const still = { crop: 0, flip: false, cutout: 0 };
    const where = { from: { epoch: 0, step: 3 }, epochs: 2 };
    const [here, there] = [
      openBatches(split, { ...plain, ...where }),
      openBatches(split, { ...plan, augment: still, ...where }),
    ];
    for (let i = 0; i < 5; i++) {
      const [a, b] = [await here.next(), await there.next()];
      expect(a?.x).toEqual(b?.x);
      expect(a?.y).toEqual(b?.y);
    }
    expect(await here.next()).toBeUndefined();
    await Promise.all([here.close(), there.close()]);
  });

  it("of a source are read epoch by epoch, and from the middle of one", async () => {
    const batch = (epoch: number, step: number) => ({ x: Float32Array.of(epoch, step), y: Int32Array.of(step) });
    const opened: number[] = [];
    const source = (steps: number) => ({
      stepsPerEpoch: 3,
      batch: 1,
      like: new Float32Array(),
      async *open(epoch: number) {
        opened.push(epoch);
        for (let step = 0; step < steps; step++) yield batch(epoch, step);
      },
    });
    const stream = openSource(source(3), [2], { from: { epoch: 1, step: 2 }, epochs: 3 });
    const seen = [];
    for (let next = await stream.next(); next; next = await stream.next()) seen.push([...next.x]);
    expect(seen).toEqual([
      [1, 2],
      [2, 0],
      [2, 1],
      [2, 2],
    ]);
    expect(opened).toEqual([1, 2]);
    const short = openSource(source(2), [2], { from: { epoch: 0, step: 0 }, epochs: 1 });
    await short.next();
    await short.next();
    await expect(short.next()).rejects.toThrow("epoch 1 ended after 2 batches, expected 3");
  });

  it("of an epoch hold no image twice, and come in another order in the next", () => {
    const make = batchMaker(split, plan);
    const labelsOf = (epoch: number) =>
      Array.from({ length: 4 }, (_, step) => {
        const labels = new Int32Array(5);
        make(epoch, step, new Uint8Array(80), labels);
        return [...labels];
      }).flat();
    expect(new Set(labelsOf(0)).size).toBe(20);
    expect(labelsOf(1)).not.toEqual(labelsOf(0));
    expect(labelsOf(0)).toEqual(labelsOf(0));
  });

  it("larger than the set are refused", () => {
    const open = () => openBatches(split, { ...plan, batch: 24, from: { epoch: 0, step: 0 }, epochs: 1 });
    expect(open).toThrow("data.batch is 24, but there are 23 training examples");
  });
});

describe("fetching", () => {
  const content = Buffer.from(Array.from({ length: 50_000 }, (_, i) => i % 253));
  const md5 = createHash("md5").update(content).digest("hex");
  const ranges: (string | undefined)[] = [];
  let cut = false;
  let server: Server;
  let base = "";
  beforeAll(async () => {
    server = createServer((request, response) => {
      ranges.push(request.headers.range);
      if (request.url !== "/file.bin") {
        response.writeHead(404).end();
        return;
      }
      const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
      const body = content.subarray(from);
      response.writeHead(from > 0 ? 206 : 200, { "content-length": body.length });
      if (!cut) {
        response.end(body);
        return;
      }
      cut = false;
      response.write(body.subarray(0, 20_000), () => setTimeout(() => response.destroy(), 50));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());
  const source = { name: "file.bin", url: "http://unused.invalid/file.bin", md5 };

  it("goes on where a cut connection ended", async () => {
    const folder = temporary();
    cut = true;
    await expect(fetchFile(source, folder, { base })).rejects.toThrow(DataError);
    expect(existsSync(join(folder, "file.bin"))).toBe(false);
    ranges.length = 0;
    const path = await fetchFile(source, folder, { base });
    expect(ranges[0]).toMatch(/^bytes=\d+-$/);
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(existsSync(`${path}.part`)).toBe(false);
  });

  it("refuses a file of another checksum, and keeps nothing of it", async () => {
    const folder = temporary();
    await expect(fetchFile({ ...source, md5: "0".repeat(32) }, folder, { base })).rejects.toThrow(
      `MD5 ${md5}, expected 000`,
    );
    expect(existsSync(join(folder, "file.bin.part"))).toBe(false);
  });

  it("says what the server answers", async () => {
    await expect(fetchFile({ ...source, name: "other.bin" }, temporary(), { base })).rejects.toThrow(
      "the server answers 404",
    );
  });

  it("says when there is no server", async () => {
    await expect(fetchFile(source, temporary(), { base: "http://127.0.0.1:1" })).rejects.toThrow(
      /cannot be fetched: .*\n {2}hint: run the same command again/,
    );
  });
});

it("every data set of the registry says what it is", () => {
  expect([...datasetNames]).toEqual([
    "fashion-mini",
    "fashion-mnist",
    "mnist",
    "cifar10",
    "cifar100",
    "svhn",
    "npy",
    "csv",
    "folder",
  ]);
});
