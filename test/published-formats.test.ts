import { mkdirSync, mkdtempSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { cifar10 } from "../src/data/cifar.ts";
import { readBytes, unpacked } from "../src/data/files.ts";
import { readLabels } from "../src/data/labels.ts";
import { readMat5 } from "../src/data/mat5.ts";
import { readTar } from "../src/data/tar.ts";
import { mlp } from "../src/models/mlp.ts";
import { resnet18 } from "../src/models/resnet.ts";
import { declare } from "../src/nn/scope.ts";
import { encodeWeights, readWeights } from "../src/train/weights.ts";
import { decodeNpy } from "../src/util/npy.ts";
import { decodeSafetensors, encodeSafetensors, type SafeTensor } from "../src/util/safetensors.ts";
import { decodeWeights } from "../src/util/weights-file.ts";
import { bytesOf, matArray, matFile, npyFile, paxRecord, safetensorsFile, tarEntry, tarFile } from "./support/files.ts";

const temporary = () => mkdtempSync(join(tmpdir(), "eigensam-published-"));
const written = (bytes: Uint8Array, name = "file"): string => {
  const path = join(temporary(), name);
  writeFileSync(path, bytes);
  return path;
};

describe("arrays of NumPy", () => {
  const numbers = [0, 1, 2, 3, 4, 5];
  const swapped = (view: ArrayBufferView & { BYTES_PER_ELEMENT: number }) => {
    const bytes = bytesOf(view);
    for (let at = 0; at < bytes.length; at += view.BYTES_PER_ELEMENT)
      bytes.subarray(at, at + view.BYTES_PER_ELEMENT).reverse();
    return bytes;
  };
  it.each([
    ["|b1", Uint8Array.of(0, 1, 1, 0, 1, 0), [0, 1, 1, 0, 1, 0]],
    ["|i1", Int8Array.of(-1, 1, 2, 3, 4, 5), [-1, 1, 2, 3, 4, 5]],
    ["<u2", Uint16Array.from(numbers), numbers],
    ["<i2", Int16Array.from(numbers), numbers],
    ["<u4", Uint32Array.from(numbers), numbers],
    ["<i4", Int32Array.from(numbers), numbers],
    ["<u8", BigUint64Array.from(numbers, BigInt), numbers],
    ["<f2", Uint16Array.of(0, 0x3c00, 0x4000, 0xc000, 0x3800, 0), [0, 1, 2, -2, 0.5, 0]],
    [">f4", swapped(Float32Array.from(numbers)), numbers],
    [">f8", swapped(Float64Array.from(numbers)), numbers],
    [">i8", swapped(BigInt64Array.from(numbers, BigInt)), numbers],
    [">u2", swapped(Uint16Array.from(numbers)), numbers],
  ])("of type %s", (descr, data, expected) => {
    const { shape, data: read } = decodeNpy(npyFile(descr, [2, 3], bytesOf(data)), "f");
    expect([...read]).toEqual(expected);
    expect(shape).toEqual([2, 3]);
  });

  it("in Fortran order, whose first axis varies fastest", () => {
    const data = Float32Array.from([0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11]);
    const { data: read } = decodeNpy(npyFile("<f4", [2, 3, 2], bytesOf(data), { fortran: true }), "f");
    expect([...read]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });

  it.each([1, 2, 3])("of version %d, and of Python 2", (version) => {
    const header = "{'descr': '<i4', 'fortran_order': False, 'shape': (2L, 3L), }";
    const file = npyFile("", [], bytesOf(Int32Array.from(numbers)), { version, header });
    expect(decodeNpy(file, "f")).toMatchObject({ shape: [2, 3], data: Int32Array.from(numbers), type: "int32" });
  });

  it("of no axis hold one number", () => {
    expect(decodeNpy(npyFile("<f8", [], bytesOf(Float64Array.of(2))), "f")).toMatchObject({ shape: [] });
  });

  it("say what they are where they cannot be read", () => {
    const records = "{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (1,), }";
    expect(() => decodeNpy(npyFile("", [], new Uint8Array(4), { header: records }), "f")).toThrow("array of records");
    expect(() => decodeNpy(Buffer.from("PK\x03\x04 and the rest"), "f")).toThrow("an archive (.npz), not one array");
    expect(() => decodeNpy(npyFile("|O", [1], new Uint8Array(8)), "f")).toThrow("never read: they can run code");
    const large = npyFile("<u8", [1], bytesOf(BigUint64Array.of(2n ** 63n)));
    expect(() => decodeNpy(large, "f")).toThrow("element 0 is 9223372036854775808, too large for 32 bits");
  });

  it("that claim 2^60 elements are refused before anything is allocated", () => {
    const before = process.memoryUsage().arrayBuffers;
    const file = npyFile("<f4", [2 ** 30, 2 ** 30], new Uint8Array(16));
    expect(() => decodeNpy(file, "f")).toThrow("16 bytes of data, expected 4611686018427388000");
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20);
  });
});

describe("labels", () => {
  it.each([
    ["|b1", Uint8Array.of(0, 1, 1)],
    ["|i1", Int8Array.of(0, 1, 1)],
    ["<u2", Uint16Array.of(0, 1, 1)],
    ["<i8", BigInt64Array.of(0n, 1n, 1n)],
    ["<f8", Float64Array.of(0, 1, 1)],
  ])("of type %s, in a row or a column", (descr, data) => {
    for (const shape of [[3], [3, 1]])
      expect([...readLabels(written(npyFile(descr, shape, bytesOf(data))), 3)]).toEqual([0, 1, 1]);
  });

  it("that are one-hot, fractions, negative or too few are refused with what to do", () => {
    const labels = (descr: string, shape: number[], data: ArrayBufferView) =>
      readLabels(written(npyFile(descr, shape, bytesOf(data))), 2);
    expect(() => labels("<f4", [2, 3], Float32Array.of(1, 0, 0, 0, 1, 0))).toThrow("y.argmax(axis=1)");
    expect(() => labels("<f4", [2], Float32Array.of(1, 0.5))).toThrow("label 0.5 of image 1, expected 0 …");
    expect(() => labels("|i1", [2], Int8Array.of(1, -1))).toThrow("label -1 of image 1, expected 0 …");
    expect(() => labels("|i1", [3], Int8Array.of(1, 1, 1))).toThrow("shape [3], expected [2]");
  });
});

describe("archives", () => {
  const data = Buffer.from("hello");
  const long = `${"folder/".repeat(30)}file.bin`;
  it("keep long names, by GNU and by pax, and names in two parts", () => {
    const gnu = tarEntry({ name: "././@LongLink", kind: "L", data: Buffer.from(`${long}\0`) });
    const pax = tarEntry({
      name: "PaxHeader",
      kind: "x",
      data: Buffer.concat([paxRecord("mtime", "1.5"), paxRecord("path", `${long}é`)]),
    });
    const global = tarEntry({ name: "pax_global", kind: "g", data: paxRecord("comment", "x") });
    const archive = tarFile(
      global,
      gnu,
      tarEntry({ name: long, data }),
      pax,
      tarEntry({ name: long, data }),
      tarEntry({ name: "end", prefix: "begin", data }),
    );
    expect([...readTar(archive, "f").keys()]).toEqual([long, `${long}é`, "begin/end"]);
    expect(Buffer.from(readTar(archive, "f").get(`${long}é`) as Uint8Array).toString()).toBe("hello");
  });

  it("whose pax size replaces that of the header", () => {
    const pax = tarEntry({ name: "PaxHeader", kind: "x", data: paxRecord("size", "3") });
    expect(readTar(tarFile(pax, tarEntry({ name: "a", data })), "f").get("a")).toHaveLength(3);
    const huge = tarEntry({ name: "PaxHeader", kind: "x", data: paxRecord("size", String(2 ** 60)) });
    expect(() => readTar(tarFile(huge, tarEntry({ name: "a", data })), "f")).toThrow("a has no valid size");
  });

  it("with damaged headers or pax records are refused", () => {
    const archive = tarFile(tarEntry({ name: "a", data }));
    archive[0] = 0x7a;
    expect(() => readTar(archive, "f")).toThrow("f: not a tar archive, or damaged at byte 0");
    for (const record of ["8 path=a\n", "0 path=a\n", "999 path=a\n", "path=a\n"])
      expect(() => readTar(tarFile(tarEntry({ name: "x", kind: "x", data: Buffer.from(record) })), "f")).toThrow("pax");
  });

  it("write nothing and follow nothing, whatever their entries are called", () => {
    const dir = join(temporary(), "in", "here");
    mkdirSync(dir, { recursive: true });
    const outside = written(Buffer.from("secret"));
    const batch = "data_batch_1.bin";
    const archive = tarFile(
      tarEntry({ name: "../../escaped.bin", data }),
      tarEntry({ name: join(dirname(dir), "absolute.bin"), data }),
      tarEntry({ name: `cifar-10-batches-bin/${batch}`, kind: "2", link: outside }),
    );
    writeFileSync(join(dir, "cifar-10-binary.tar.gz"), gzipSync(archive));
    expect(() => cifar10.load({ dir })).toThrow(`${batch} is a link, and links are not followed`);
    expect(readdirSync(dirname(dir))).toEqual(["here"]);
    expect(readdirSync(dir)).toEqual(["cifar-10-binary.tar.gz"]);
  });

  it("that unpack to more than any published set are refused", () => {
    const bomb = gzipSync(Buffer.alloc(2 ** 28 + 1), { level: 1 });
    expect(() => unpacked(bomb, "f")).toThrow("f: damaged gzip file: it unpacks to more than 256 MiB");
  });

  it("and a device that never ends is no file", () => {
    const link = join(temporary(), "images.npy");
    symlinkSync("/dev/zero", link);
    expect(() => readBytes(link)).toThrow(`${link} is a device, not a file`);
  });
});

describe("MAT-files", () => {
  it("hold int64, uint64 and the rest as numbers, where nothing is lost", () => {
    const file = matFile(
      matArray("a", [1, 2], 14, 12, BigInt64Array.of(-3n, 2n ** 53n)),
      matArray("b", [1, 2], 15, 13, BigUint64Array.of(3n, 10n)),
      matArray("c", [1, 2], 8, 1, Int8Array.of(-1, 2)),
    );
    const arrays = readMat5(file, "f");
    expect([..."abc"].map((name) => [...arrays.get(name)!.data])).toEqual([
      [-3, 2 ** 53],
      [3, 10],
      [-1, 2],
    ]);
    const lost = matFile(matArray("a", [1, 1], 14, 12, BigInt64Array.of(2n ** 60n + 1n)));
    expect(() => readMat5(lost, "f")).toThrow("1152921504606846977 is too large for a number");
  });

  it("of version 7.3 and of complex numbers are refused", () => {
    const hdf = Buffer.alloc(512);
    hdf.write("MATLAB 7.3 MAT-file, Platform: GLNXA64");
    expect(() => readMat5(hdf, "f")).toThrow("save(..., '-v7')");
    const array = matArray("a", [1, 1], 6, 9, Float64Array.of(1));
    array[17] = 8;
    expect(() => readMat5(matFile(array), "f")).toThrow("complex numbers");
  });
});

describe("weights", () => {
  const model = declare(mlp({ classes: 2, hidden: [3] }), [1, 4]);
  const size = model.parameters.size;
  const plain = decodeSafetensors(
    encodeWeights(
      model,
      { theta: Float32Array.from({ length: size }, (_, i) => i / 8), buffers: new Float32Array(1) },
      {},
    ),
    "w",
  ).tensors;
  const file = (tensors: Readonly<Record<string, SafeTensor>>) => written(encodeSafetensors(tensors), "w.safetensors");
  const renamed = (prefix: string) =>
    Object.fromEntries(Object.entries(plain).map(([name, tensor]) => [prefix + name, tensor]));

  it.each(["module.", "_orig_mod.", "model.", "module._orig_mod.", "model.module."])("behind %s", (prefix) => {
    expect(readWeights(file(renamed(prefix)), model)).toEqual(readWeights(file(plain), model));
  });

  it("under torchvision's names of a ResNet's modules are this model's, and what is missing or too many is named", () => {
    const network = declare(resnet18({ classes: 3, width: 2 }), [1, 1, 8, 8]);
    const vector = (length: number) => Float32Array.from({ length }, (_, i) => Math.sin(i));
    const weights = { theta: vector(network.parameters.size), buffers: vector(network.buffers.size) };
    const { tensors } = decodeSafetensors(encodeWeights(network, weights, {}), "w");
    // torchvision 0.14's state_dict has these, among 122 names; the others are ours as they are.
    const theirs = Object.fromEntries(
      Object.entries(tensors).map(([name, tensor]) => [
        name.replace("linear.", "fc.").replace(".shortcut.", ".downsample."),
        tensor,
      ]),
    );
    const expected = ["fc.bias", "fc.weight", "layer2.0.downsample.0.weight", "layer4.0.downsample.1.running_mean"];
    expect(
      Object.keys(theirs)
        .filter((name) => expected.includes(name))
        .sort(),
    ).toEqual(expected);
    expect(readWeights(file(theirs), network)).toEqual(weights);
    const { "fc.bias": bias, ...rest } = theirs;
    expect(() => readWeights(file(rest), network)).toThrow("linear.bias is missing");
    expect(() => readWeights(file({ ...theirs, "fc.scale": bias! }), network)).toThrow(
      "fc.scale is no part of this model",
    );
    expect(() => readWeights(file({ ...theirs, "linear.bias": bias! }), network)).toThrow(
      "fc.bias is no part of this model",
    );
  });

  it("behind a prefix that no wrapper makes, or of which one is missing, are refused by name", () => {
    expect(() => readWeights(file(renamed("net.")), model)).toThrow("net.layers.0.weight is no part of this model");
    const { "layers.0.bias": _, ...rest } = plain;
    expect(() => readWeights(file(rest), model)).toThrow("layers.0.bias is missing");
  });

  it.each(["I64", "I32", "U8"] as const)("of type %s are refused with the types allowed", (dtype) => {
    const arrays = { I64: BigInt64Array, I32: Int32Array, U8: Uint8Array };
    const bias = { dtype, shape: [3], data: new arrays[dtype](3) };
    const path = file({ ...plain, "layers.0.bias": bias });
    expect(() => readWeights(path, model)).toThrow(
      `${path}: layers.0.bias is of type ${dtype}, expected F32, F64, F16 or BF16`,
    );
  });

  it("of other integer types, or not finite, are refused by name", () => {
    const entry = (dtype: string, bytes: number) => ({ a: { dtype, shape: [1], data_offsets: [0, bytes] } });
    for (const [dtype, bytes] of [
      ["I8", 1],
      ["BOOL", 1],
      ["U16", 2],
      ["F8_E4M3", 1],
    ] as const)
      expect(() => decodeSafetensors(safetensorsFile(entry(dtype, bytes), new Uint8Array(bytes)), "w")).toThrow(
        `a is of type ${dtype}; F32, F64`,
      );
    const huge = { dtype: "F64", shape: [3], data: Float64Array.of(0, 1e300, 0) } as const;
    expect(() => readWeights(file({ ...plain, "layers.0.bias": huge }), model)).toThrow("layers.0.bias holds Infinity");
  });

  it("whose header happens to have the length that begins a pickle are read", () => {
    const header = { a: { dtype: "F32", shape: [1], data_offsets: [0, 4] }, __metadata__: { k: "" } };
    const fill = 0x280 - JSON.stringify(header).length;
    const bytes = safetensorsFile({ ...header, __metadata__: { k: "x".repeat(fill) } }, new Uint8Array(4));
    expect([bytes[0], bytes[1]]).toEqual([0x80, 2]);
    expect(decodeWeights(bytes, "w").a?.shape).toEqual([1]);
  });
});
