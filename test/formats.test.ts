import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeCifar } from "../src/data/cifar.ts";
import { decodeIdx } from "../src/data/idx.ts";
import { readMat5 } from "../src/data/mat5.ts";
import { decodeSvhn } from "../src/data/svhn.ts";
import { readTar } from "../src/data/tar.ts";
import { resolveConfig } from "../src/train/settings.ts";
import { EigensamError } from "../src/util/errors.ts";
import { decodeNpy } from "../src/util/npy.ts";
import { decodeSafetensors, encodeSafetensors } from "../src/util/safetensors.ts";
import { image } from "./support/pictures.ts";

const read = (name: string) => new Uint8Array(readFileSync(new URL(`golden/${name}`, import.meta.url)));

describe("safetensors", () => {
  const tensors = {
    a: { dtype: "F32", shape: [2, 2], data: Float32Array.of(1, -2, 3.5, Number.NaN) },
    b: { dtype: "I64", shape: [1], data: BigInt64Array.of(7n) },
    c: { dtype: "U8", shape: [3], data: Uint8Array.of(1, 2, 3) },
    empty: { dtype: "F64", shape: [0], data: new Float64Array(0) },
  } as const;
  it("comes back as it was written", () => {
    const back = decodeSafetensors(encodeSafetensors(tensors, { step: "3" }), "x");
    expect(back.tensors).toEqual(tensors);
    expect(back.metadata).toEqual({ step: "3" });
  });

  it("widens half and bfloat16 numbers", () => {
    const header = JSON.stringify({
      h: { dtype: "F16", shape: [4], data_offsets: [0, 8] },
      b: { dtype: "BF16", shape: [2], data_offsets: [8, 12] },
    });
    const file = Buffer.concat([
      Buffer.alloc(8),
      Buffer.from(header),
      Buffer.from(Uint16Array.of(0x3c00, 0xc100, 0x0001, 0x7c00, 0x3f80, 0xc020).buffer),
    ]);
    file.writeBigUInt64LE(BigInt(header.length));
    const { h, b } = decodeSafetensors(file, "x").tensors;
    expect([...(h!.data as Float32Array)]).toEqual([1, -2.5, 2 ** -24, Number.POSITIVE_INFINITY]);
    expect([...(b!.data as Float32Array)]).toEqual([1, -2.5]);
  });
});

describe("damaged files never give anything but one typed error or a result", () => {
  const idx = Uint8Array.from([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8]);
  const cifar = Uint8Array.from([...image(0, [3, 32, 32]), 1]);
  const tar = gunzipSync(read("cifar-10-binary.tar.gz")).subarray(0, 8192);
  const readers: Readonly<Record<string, readonly [Uint8Array, (bytes: Uint8Array) => unknown]>> = {
    idx: [idx, (bytes) => decodeIdx(bytes, "f", 3)],
    cifar: [cifar, (bytes) => decodeCifar([bytes], { labelBytes: 1, classes: 10 }, "f")],
    "mat, compressed": [read("svhn.mat"), (bytes) => readMat5(bytes, "f")],
    "mat, plain": [read("svhn-plain.mat"), (bytes) => decodeSvhn(bytes, "f")],
    npy: [read("images-f4.npy"), (bytes) => decodeNpy(bytes, "f")],
    tar: [tar, (bytes) => readTar(bytes, "f")],
    config: [
      Buffer.from('seed = 3\n[model]\nname = "mlp"\nwidth = 8\n[schedule]\nmilestones = [1, 2]\n[train]\nepochs = 2\n'),
      (bytes) => resolveConfig(Buffer.from(bytes).toString("utf8"), [], "f"),
    ],
    safetensors: [
      encodeSafetensors({ a: { dtype: "F32", shape: [2, 3], data: new Float32Array(6) } }, { k: "v" }),
      (bytes) => decodeSafetensors(bytes, "f"),
    ],
  };
  const damage = fc.record({
    keep: fc.oneof(fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true })),
    flips: fc.array(fc.tuple(fc.double({ min: 0, max: 0.999, noNaN: true }), fc.integer({ min: 0, max: 255 })), {
      maxLength: 6,
    }),
    early: fc.boolean(),
  });
  it.each(Object.entries(readers))("%s, 300 times", (_, [whole, decode]) => {
    fc.assert(
      fc.property(damage, ({ keep, flips, early }) => {
        const bytes = Uint8Array.from(whole.subarray(0, Math.floor(keep * whole.length)));
        // Headers are where damage does most; half of the changes go there.
        const reach = early ? Math.min(bytes.length, 160) : bytes.length;
        for (const [where, value] of flips) if (reach > 0) bytes[Math.floor(where * reach)] = value;
        try {
          decode(bytes);
        } catch (error) {
          if (!(error instanceof EigensamError)) throw error;
          expect(error.message.length).toBeGreaterThan(5);
        }
      }),
      { numRuns: 300, seed: 3 },
    );
  });
});
