import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readWeights as readArrays } from "../src/api/weights-files.ts";
import { input } from "../src/graph/ops/source.ts";
import { namedModel } from "../src/models/index.ts";
import { declare, forward, vectorInput } from "../src/nn/scope.ts";
import { readWeights } from "../src/train/weights.ts";
import { InputError } from "../src/util/errors.ts";
import { rng } from "../src/util/rng.ts";
import type { SafeTensor } from "../src/util/safetensors.ts";
import { sizeOf } from "../src/util/shape.ts";
import { decodeTorchFile } from "../src/util/torch-file/index.ts";
import { storedEntries } from "../src/util/torch-file/zip.ts";
import { decodeWeights } from "../src/util/weights-file.ts";
import { bytesOf } from "./support/files.ts";
import { diceOf, mutatedBytes } from "./support/mutate.ts";
import { fill, relativeError } from "./support/numbers.ts";
import { runOn } from "./support/run.ts";
import { pickled, tensor, torchFile, type ZipEntry, zipFile } from "./support/torch-files.ts";
import { RESNET_F32_DIRECT } from "./tolerances.ts";

const VERSIONS = ["1.13", "2.4"] as const;
const golden = (name: string) => fileURLToPath(new URL(`golden/${name}`, import.meta.url));
const bytesOfGolden = (name: string) => readFileSync(golden(name));

interface Expected {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly values: readonly (number | string)[];
}

const { tensors: expected, logits } = JSON.parse(bytesOfGolden("torch-files.json").toString()) as {
  readonly tensors: Readonly<Record<string, Expected>>;
  readonly logits: readonly number[];
};

const floats = (values: Expected["values"]) => Float32Array.from(values, Number);
const whole = (values: Expected["values"]) => Int32Array.from(values, Number);
const ours: Readonly<Record<string, (values: Expected["values"]) => Pick<SafeTensor, "dtype" | "data">>> = {
  "torch.float32": (values) => ({ dtype: "F32", data: floats(values) }),
  "torch.float64": (values) => ({ dtype: "F64", data: Float64Array.from(values, Number) }),
  "torch.float16": (values) => ({ dtype: "F32", data: floats(values) }),
  "torch.bfloat16": (values) => ({ dtype: "F32", data: floats(values) }),
  "torch.int64": (values) => ({ dtype: "I64", data: BigInt64Array.from(values, BigInt) }),
  "torch.int32": (values) => ({ dtype: "I32", data: whole(values) }),
  "torch.int16": (values) => ({ dtype: "I32", data: whole(values) }),
  "torch.int8": (values) => ({ dtype: "I32", data: whole(values) }),
  "torch.uint8": (values) => ({ dtype: "U8", data: Uint8Array.from(values, Number) }),
  "torch.bool": (values) => ({ dtype: "U8", data: Uint8Array.from(values, Number) }),
};

const inBytes = ({ dtype, shape, data }: SafeTensor) => ({ dtype, shape, bytes: bytesOf(data).toString("hex") });
const allInBytes = (tensors: Readonly<Record<string, SafeTensor>>) =>
  Object.fromEntries(Object.entries(tensors).map(([name, each]) => [name, inBytes(each)]));

describe.each(VERSIONS)("files of PyTorch %s", (version) => {
  const file = bytesOfGolden(`torch-${version}.pth`);

  it("hold the tensors that were saved, bit for bit: every type, view, shared storage, scalar and parameter", () => {
    const saved = Object.entries(expected).map(([name, { dtype, shape, values }]) => [
      name,
      inBytes({ shape, ...ours[dtype]!(values) }),
    ]);
    expect(allInBytes(decodeTorchFile(file, "f"))).toEqual(Object.fromEntries(saved));
  });

  it("are the same in a buffer that is not aligned, and behind a comment at the end", () => {
    const moved = Buffer.concat([Buffer.alloc(1), file]).subarray(1);
    expect(allInBytes(decodeTorchFile(moved, "f"))).toEqual(allInBytes(decodeTorchFile(file, "f")));
    const commented = Buffer.concat([file, Buffer.from("hello")]);
    commented.writeUInt16LE(5, file.length - 2);
    expect(Object.keys(decodeTorchFile(commented, "f"))).toEqual(Object.keys(expected));
  });

  it("give arrays that share no memory", () => {
    const { shared_whole: all, shared_part: part } = decodeTorchFile(file, "f");
    const before = part!.data[0];
    all!.data.fill(0 as never);
    expect(part!.data[0]).toBe(before);
    expect(before).not.toBe(0);
  });

  it("are read by readWeights from code, as float32", () => {
    const { transposed, scalar } = readArrays(golden(`torch-${version}.pth`));
    expect(transposed).toEqual({ shape: [3, 2], data: floats(expected.transposed!.values) });
    expect(scalar).toEqual({ shape: [], data: Float32Array.of(2.5) });
  });

  it("with a checkpoint in torchvision's names are the weights that safetensors holds, and have PyTorch's logits", async () => {
    const size = [2, 3, 16, 16];
    const model = declare(namedModel("resnet18", { classes: 10, width: 1, activation: "silu" }), size);
    const inferred = async (name: string) => {
      const [theta, buffers] = [
        vectorInput("theta", model.parameters, "f32"),
        vectorInput("buffers", model.buffers, "f32"),
      ];
      const result = forward(model, input("x", size, "f32"), { theta, buffers, training: false });
      const feeds = { ...readWeights(golden(name), model), x: fill(7, sizeOf(size), 1.7) };
      return (await runOn({ logits: result.logits }, feeds, { convolution: "direct", threads: 1 })).logits;
    };
    const found = await inferred(`torch-checkpoint-${version}.pth`);
    expect([...found]).toEqual([...(await inferred("torch-checkpoint.safetensors"))]);
    expect(relativeError(found, logits)).toBeLessThan(RESNET_F32_DIRECT.grad);
  });
});

const one = { count: 1, shape: [1], strides: [1] } as const;
const dictOf = (value: string, storages: Readonly<Record<string, Uint8Array>> = { 0: new Uint8Array(4) }) =>
  torchFile(pickled.file(pickled.dict({ a: value })), storages);

describe("of a checkpoint", () => {
  const { dict, file, count, text } = pickled;
  const weight = tensor(one);
  const read = (value: string) => decodeTorchFile(torchFile(file(value), { 0: bytesOf(Float32Array.of(3)) }), "f");

  it.each(["state_dict", "model_state_dict", "model", "net"])("the tensors in %s are read, others skipped", (part) => {
    const found = read(
      dict({ epoch: count(3), [part]: dict({ w: weight, extra: "N" }), optimizer: dict({ w2: weight }) }),
    );
    expect(allInBytes(found)).toEqual({ w: inBytes({ dtype: "F32", shape: [1], data: Float32Array.of(3) }) });
  });

  it("with two such parts is refused, and what has none names what it has", () => {
    expect(() => read(dict({ model: dict({ w: weight }), net: dict({ w: weight }) }))).toThrow(
      "f: the checkpoint has tensors in model and in net\n  hint: save one of them alone",
    );
    expect(() => read(dict({ epoch: count(3), name: text("x") }))).toThrow(
      "no tensors in the dictionary of epoch, name",
    );
    expect(() => read("]")).toThrow("f: no dictionary of tensors");
  });

  it("of a machine of the other byte order is turned round", () => {
    const order: ZipEntry = { name: "net/byteorder", data: Buffer.from("big") };
    const storages = { 0: Uint8Array.of(0x40, 0x40, 0, 0) };
    const { a } = decodeTorchFile(torchFile(file(dict({ a: weight })), storages, [order]), "f");
    expect([...a!.data]).toEqual([3]);
    const odd = torchFile(file(dict({ a: weight })), storages, [{ ...order, data: Buffer.from("middle") }]);
    expect(() => decodeTorchFile(odd, "f")).toThrow("byte order middle, expected little or big");
  });
});

/** Ends within a second with one InputError of this message, and allocates next to nothing. */
function refuses(bytes: Uint8Array, message: string): void {
  const [start, before] = [process.cpuUsage(), process.memoryUsage().arrayBuffers];
  let thrown: unknown;
  try {
    decodeWeights(bytes, "f");
  } catch (error) {
    thrown = error;
  }
  const { user, system } = process.cpuUsage(start);
  expect(thrown).toBeInstanceOf(InputError);
  expect((thrown as InputError).message).toContain(message);
  expect((thrown as InputError).message.length).toBeLessThan(1000);
  expect((user + system) / 1e6).toBeLessThan(1);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20);
}

describe("a pickle that would", () => {
  const marker = join(mkdtempSync(join(tmpdir(), "eigensam-torch-")), "ran");
  const touch = `${pickled.tuple(pickled.text(`touch ${marker}`))}R`;
  const { file, global, text, tuple, count } = pickled;
  const many = 2 ** 24 - 64;

  it.each<[string, string, string]>([
    ["call os.system", `cos\nsystem\n${touch}`, "refers to os.system, which is not read: only tensors are"],
    ["call posix.system by INST", `(${text("touch x")}iposix\nsystem\n`, "operation 0x69"],
    ["call a name on the stack (STACK_GLOBAL)", `${text("os")}${text("system")}\x93`, "operation 0x93"],
    ["make an object (OBJ)", `(${global("collections", "OrderedDict")}o`, "operation 0x6f"],
    ["make an object (NEWOBJ)", `${global("collections", "OrderedDict")})\x81`, "operation 0x81"],
    ["use an extension (EXT1)", "\x82\x01", "operation 0x82"],
    ["call builtins.eval", global("builtins", "eval"), "refers to builtins.eval"],
    ["call a function of torch", global("torch", "load"), "refers to torch.load"],
    ["have a class of one's own", global("net", "Net"), "hint: save the state_dict alone"],
    ["have the prototype of objects", global("__proto__", "constructor"), "refers to __proto__.constructor"],
    ["be of protocol 4", "\x80\x04N", "protocol 4, expected 2"],
    ["have quantized numbers", global("torch", "QInt8Storage"), "numbers of type torch.QInt8Storage"],
    ["call OrderedDict with items", `${global("collections", "OrderedDict")}${tuple("N")}R`, "with other arguments"],
    ["call what is no name", `N${tuple("N")}R`, "calls what is no name"],
    ["give attributes to a number", `K\x01}b`, "gives attributes to no dictionary"],
    ["take what is not there", "R", "takes a value that is not there"],
    ["take what lies below a mark", "NN(R", "takes a value that is not there"],
    ["end no group", "Nt", "ends a group that did not begin"],
    ["recall nothing", "h\x07", "recalls value 7, which was never kept"],
    ["set half an item", `}(${text("a")}u`, "sets items of no dictionary"],
    ["append to a number", "K\x01Na", "appends to no list"],
    ["leave values over", "NN", "leaves values over"],
    ["refer to a file beside it", `${text("/etc/passwd")}Q`, "no storage of numbers"],
    ["have a text longer than itself", "X\xff\xff\xff\xff", "the pickle ends too early"],
    ["have a name without an end", `c${"x".repeat(5000)}`, "a name without an end"],
    ["have a long name", global("a".repeat(900), "b"), "refers to aaaaaaaa"],
    ["be a million deep", "(".repeat(many), "nested more than 100000 deep"],
    ["append lists without end", `]${"]a".repeat(many / 2)}`, "makes more than 500000 objects"],
    ["nest lists for as long as it may", "]".repeat(many), "keeps more than 100000 values waiting"],
    ["drop what it made (POP)", "]]0", "operation 0x30"],
    ["make millions of objects", `](${`${")".repeat(90_000)}t(`.repeat(6)}`, "makes more than 500000 objects"],
    [
      "remember millions of values",
      `N${Array.from({ length: 510_000 }, (_, i) => `r${String.fromCharCode(i & 255, (i >> 8) & 255, (i >> 16) & 255, 0)}`).join("")}`,
      "remembers more than 500000 values",
    ],
    ["double a list a hundred times", `]q\x00${"(h\x00h\x00e".repeat(100)}`, "no dictionary of tensors"],
    ["hold itself", "]q\x00h\x00a", "no dictionary of tensors"],
    [
      "be longer than any that torch.save makes",
      "N".repeat(2 ** 24),
      "a pickle of 16777219 bytes, expected 16777216 at most",
    ],
    [
      "have a negative size",
      `}${text("a")}${tensor({ ...one, shape: [-1] })}s`,
      "without a valid storage, offset, shape or strides",
    ],
    [
      "have 65 axes",
      `}${text("a")}${tensor({ ...one, shape: Array(65).fill(1), strides: Array(65).fill(1) })}s`,
      "without a valid",
    ],
    ["have fewer strides than axes", `}${text("a")}${tensor({ ...one, shape: [1, 1] })}s`, "without a valid"],
    [
      "refer to a negative number of numbers",
      `}${text("a")}${tensor({ ...one, count: -1 })}s`,
      "no storage of numbers",
    ],
    ["set an item of a number", `K\x01${count(1)}${count(2)}s`, "sets items of no dictionary"],
  ])("%s is refused", (_, pickle, message) => {
    refuses(torchFile(file(pickle), { 0: new Uint8Array(4) }), message);
    expect(existsSync(marker)).toBe(false);
  });

  const huge = 2n ** 60n;
  it.each<[string, Uint8Array, string]>([
    [
      "2^60 numbers of a storage",
      dictOf(tensor({ count: huge, shape: [huge], strides: [1] })),
      "no storage of numbers",
    ],
    [
      "2^52 numbers of a storage",
      dictOf(tensor({ ...one, count: 2 ** 52 })),
      "4503599627370496 numbers of type Float do not fill data/0 of 4 bytes",
    ],
    [
      "a shape beyond its storage",
      dictOf(tensor({ ...one, shape: [2 ** 50] })),
      "ends at number 1125899906842623 of data/0, which has 1",
    ],
    ["an offset beyond its storage", dictOf(tensor({ ...one, offset: 1 })), "ends at number 1 of data/0"],
    [
      "2^100 numbers by strides of 0",
      dictOf(tensor({ count: 1, shape: [2 ** 50, 2 ** 50], strides: [0, 0] })),
      "more numbers than a file of",
    ],
    [
      "a storage that is missing",
      dictOf(tensor({ ...one, key: "../../etc/passwd" })),
      "data/../../etc/passwd is missing from the file",
    ],
    [
      "the same bytes as two types",
      torchFile(pickled.file(pickled.dict({ a: tensor(one), b: tensor({ ...one, type: "IntStorage" }) })), {
        0: new Uint8Array(4),
      }),
      "data/0 is given two types of numbers",
    ],
    [
      "everything 300 times",
      torchFile(
        pickled.file(
          `}q\x00(${Array.from({ length: 300 }, (_, i) => text(`${i}`) + tensor({ count: 4096, shape: [4096], strides: [1] })).join("")}u`,
        ),
        { 0: new Uint8Array(16384) },
      ),
      "more numbers than a file of",
    ],
  ])("claim %s is refused", (_, bytes, message) => refuses(bytes, message));
});

describe("an archive", () => {
  const data = Buffer.from(pickled.file("}"), "latin1");
  const pickle: ZipEntry = { name: "net/data.pkl", data };
  const numbers: ZipEntry = { name: "net/data/0", data: new Uint8Array(64) };
  const whole = torchFile(data, { 0: numbers.data });

  it.each<[string, Uint8Array, string]>([
    [
      "with an entry that leads out",
      zipFile([pickle, { ...numbers, name: "net/../../x" }]),
      "called net/../../x, which leads out",
    ],
    ["with an absolute entry", zipFile([pickle, { ...numbers, name: "/etc/passwd" }]), "which leads out of it"],
    [
      "with an entry in the place of another",
      zipFile([pickle, { ...numbers, name: "net/b", localName: "net/data.pkl", at: 0 }, numbers]),
      "in front of its data",
    ],
    ["with two entries of one name", zipFile([pickle, numbers, pickle]), "two entries net/data.pkl"],
    [
      "whose entry reaches into the next",
      zipFile([{ ...pickle, size: data.length + 8 }, numbers]),
      "entries net/data.pkl and net/data/0 of the zip archive overlap",
    ],
    [
      "whose entry claims 4 GB",
      zipFile([pickle, { ...numbers, size: 0xfffffff0 }]),
      "net/data/0 is said to have 4294967280 bytes",
    ],
    [
      "whose entry unpacks to 4 GB",
      zipFile([pickle, { ...numbers, size: 0xfffffff0, packed: 64 }]),
      "is stored in 64 bytes, but is said to have 4294967280",
    ],
    ["that is compressed", zipFile([pickle, { ...numbers, method: 8 }]), "net/data/0 is compressed (method 8)"],
    ["that is encrypted", zipFile([pickle, { ...numbers, flags: 1 }]), "net/data/0 is encrypted"],
    ["with a wrong checksum", zipFile([pickle, { ...numbers, crc: 1 }]), "the checksum of net/data/0 is wrong"],
    ["with a wrong place", zipFile([pickle, { ...numbers, at: 7 }]), "net/data/0 does not begin where"],
    ["with a place beyond it", zipFile([pickle, { ...numbers, at: 0x7fffffff }]), "net/data/0 does not begin where"],
    ["with fewer entries than it says", zipFile([pickle], { count: 3 }), "entry 1 of 3 is missing"],
    ["in zip64 form", zipFile([pickle], { count: 0xffff }), "in zip64 form"],
    ["without data.pkl", zipFile([numbers]), "torch.save did not write: it has no data.pkl"],
    ["with two pickles", zipFile([pickle, { ...pickle, name: "other/data.pkl" }]), "more than one data.pkl"],
    ["that is cut short", whole.subarray(0, whole.length - 30), "without its end: the file is cut short"],
    ["that is a head alone", Buffer.from("PK\x03\x04"), "without its end"],
    ["of an empty dictionary", torchFile(data), "no tensors in the dictionary, nor in its state_dict"],
    [
      "of PyTorch before 1.6",
      Buffer.from("\x80\x02\x8a\x0al\xfc\x9cF\xf9 j", "latin1"),
      "before PyTorch 1.6; zip archives of torch.save are read\n  hint: save it again with PyTorch 1.6 or later: python -c",
    ],
  ])("%s is refused", (_, bytes, message) => refuses(bytes, message));
});

it("500 damaged pickles, and archives behind right checksums, end within a second in tensors or one error", () => {
  const fail = (message: string): never => {
    throw new Error(message);
  };
  const entries = [...storedEntries(bytesOfGolden("torch-2.4.pth"), fail)].map(([name, data]) => ({ name, data }));
  const counts = { tensors: 0, errors: 0 };
  for (let index = 0; index < 500; index++) {
    const dice = diceOf(rng(1, "torch-files", index));
    const which = dice.chance(0.8) ? "data.pkl" : dice.pick(entries).name;
    const file = zipFile(
      entries.map(({ name, data }) => ({ name, data: name.endsWith(which) ? mutatedBytes(data, dice) : data })),
    );
    const start = process.cpuUsage();
    try {
      decodeTorchFile(file, "f");
      counts.tensors++;
    } catch (error) {
      expect(error, `case ${index}`).toBeInstanceOf(InputError);
      expect((error as Error).message.length, `case ${index}`).toBeLessThan(1500);
      counts.errors++;
    }
    const { user, system } = process.cpuUsage(start);
    expect((user + system) / 1e6, `case ${index}`).toBeLessThan(1);
  }
  expect(counts.tensors).toBeGreaterThan(20);
  expect(counts.errors).toBeGreaterThan(100);
});

it("a file is read for what it holds, whatever it is called", () => {
  const path = join(mkdtempSync(join(tmpdir(), "eigensam-torch-")), "weights.bin");
  writeFileSync(path, bytesOfGolden("torch-1.13.pth"));
  expect(Object.keys(readArrays(path))).toEqual(Object.keys(expected));
});
