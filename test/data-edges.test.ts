import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { openBatches } from "../src/data/batches.ts";
import type { Split } from "../src/data/dataset.ts";
import { fetchFile } from "../src/data/fetch.ts";
import { cacheFolder } from "../src/data/files.ts";
import { loadDataset } from "../src/data/index.ts";
import { decodeSvhn, svhnFiles } from "../src/data/svhn.ts";
import { DataError, InputError } from "../src/util/errors.ts";
import { decodeNpy } from "../src/util/npy.ts";
import { decodeSafetensors } from "../src/util/safetensors.ts";

const temporary = () => mkdtempSync(join(tmpdir(), "eigensam-edges-"));

afterEach(() => vi.unstubAllEnvs());

describe("looking for a set", () => {
  it("names every file once", async () => {
    const failure = loadDataset("cifar10", { dir: temporary() });
    await expect(failure).rejects.toThrow("looked for cifar-10-binary.tar.gz in ");
  });

  it("takes an empty EIGENSAM_DATA for none", () => {
    vi.stubEnv("EIGENSAM_DATA", "");
    expect(cacheFolder()).toMatch(/eigensam.data$/);
  });

  it("that turns out unreadable gives one typed error", async () => {
    const dir = temporary();
    for (const file of svhnFiles) mkdirSync(join(dir, file));
    const failure = loadDataset("svhn", { dir });
    await expect(failure).rejects.toThrow(DataError);
    await expect(failure).rejects.toThrow(`${join(dir, svhnFiles[0])} cannot be read: it is a folder`);
  });
});

/** An uncompressed MAT-file of X, zeros of the given shape, and y. */
function matFile(shape: readonly number[], labels: readonly number[]): Uint8Array {
  const element = (type: number, data: Uint8Array) => {
    const bytes = Buffer.alloc(8 + Math.ceil(data.length / 8) * 8);
    bytes.writeUInt32LE(type, 0);
    bytes.writeUInt32LE(data.length, 4);
    bytes.set(data, 8);
    return bytes;
  };
  const array = (name: string, sizes: readonly number[], data: Uint8Array) =>
    element(
      14,
      Buffer.concat([
        element(6, Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0)),
        element(5, new Uint8Array(Int32Array.from(sizes).buffer)),
        element(1, Buffer.from(name)),
        element(2, data),
      ]),
    );
  const header = Buffer.alloc(128, " ");
  header.writeUInt16LE(0x100, 124);
  header.write("IM", 126);
  const pixels = new Uint8Array(shape.reduce((a, b) => a * b, 1));
  return Buffer.concat([header, array("X", shape, pixels), array("y", [labels.length, 1], Uint8Array.from(labels))]);
}

describe("SVHN", () => {
  it("reads images and labels that fit", () => {
    expect([...decodeSvhn(matFile([32, 32, 3, 2], [10, 4]), "f").y]).toEqual([0, 4]);
  });

  it("reads the one image of an array that MATLAB wrote without its last axis", () => {
    expect(decodeSvhn(matFile([32, 32, 3], [7]), "f")).toMatchObject({ count: 1, y: Int32Array.of(7) });
  });

  it("refuses a fifth axis, whose images no label would count", () => {
    expect(() => decodeSvhn(matFile([32, 32, 3, 2, 2], [1, 2]), "f")).toThrow("f: X is [32, 32, 3, 2, 2]");
  });

  it("names the label that is wrong as the file has it", () => {
    expect(() => decodeSvhn(matFile([32, 32, 3, 2], [1, 0]), "f")).toThrow("f: label 0 of image 1, expected 1 … 10");
  });
});

describe("headers with surprising words", () => {
  const npy = (descr: string, shape: string, version = 1) => {
    const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }\n`;
    const file = Buffer.concat([Buffer.from("\x93NUMPY\0\0\0\0", "latin1"), Buffer.from(header), Uint8Array.of(1)]);
    file[6] = version;
    file.writeUInt16LE(header.length, 8);
    return file;
  };

  it.each([
    ["constructor", "(1,)", 1, "f: type constructor; bool, uint8"],
    ["<c8", "(1,)", 1, "f: type <c8; bool, uint8"],
    ["|O", "(1,)", 1, "f: type |O (Python objects, which are never read: they can run code); bool"],
    ["|u1", "(1 2,)", 1, "f: the header cannot be read"],
    ["|u1", "(99999999999999999999, 0)", 1, "f: the header cannot be read"],
    ["|u1", "(1,)", 4, "f: version 4, expected 1, 2 or 3"],
  ])("npy %s %s, version %d", (descr, shape, version, message) => {
    expect(() => decodeNpy(npy(descr, shape, version), "f")).toThrow(message);
  });

  it("safetensors of a type that only JavaScript knows", () => {
    const header = Buffer.from('{"a":{"dtype":"constructor","shape":[0],"data_offsets":[0,0]}}');
    const file = Buffer.concat([new Uint8Array(BigUint64Array.of(BigInt(header.length)).buffer), header]);
    expect(() => decodeSafetensors(file, "f")).toThrow(InputError);
    expect(() => decodeSafetensors(file, "f")).toThrow("f: a is of type constructor; F32");
  });
});

describe("a stream of batches", () => {
  const split: Split = { x: new Uint8Array(160), y: new Int32Array(10), count: 10 };
  const plan = { inputShape: [1, 4, 4], batch: 5, seed: 1, from: { epoch: 0, step: 0 }, epochs: 1 } as const;

  it("that is closed gives up who waits for it", async () => {
    const stream = openBatches(split, { ...plan, augment: { crop: 0, flip: false, cutout: 0 } });
    const waiting = stream.next();
    const failure = expect(waiting).rejects.toThrow("closed");
    await stream.close();
    await failure;
  });

  it("passes on what went wrong in its worker", async () => {
    const stream = openBatches(split, { ...plan, augment: null as never });
    await expect(stream.next()).rejects.toThrow(TypeError);
    await stream.close();
  });
});

it("fetching follows where the server points, and still resumes", async () => {
  const content = Buffer.from("ten bytes!");
  const ranges: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    if (request.url === "/moved/file.bin") {
      response.writeHead(302, { location: "/file.bin" }).end();
      return;
    }
    ranges.push(request.headers.range);
    response.writeHead(206).end(content.subarray(4));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/moved`;
    const folder = temporary();
    writeFileSync(join(folder, "file.bin.part"), content.subarray(0, 4));
    const md5 = createHash("md5").update(content).digest("hex");
    const path = await fetchFile({ name: "file.bin", url: "http://unused.invalid/", md5 }, folder, { base });
    expect(ranges).toEqual(["bytes=4-"]);
    expect(readFileSync(path, "utf8")).toBe("ten bytes!");
  } finally {
    server.close();
  }
});
