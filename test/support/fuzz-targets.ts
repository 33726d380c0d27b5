import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { deflateSync, gzipSync } from "node:zlib";
import { nonNegativeInteger, oneOf, positiveInteger, positiveNumber, someOf } from "../../src/cli/values.ts";
import { cifar10 } from "../../src/data/cifar.ts";
import { loadCsv } from "../../src/data/csv.ts";
import { fashionMnist } from "../../src/data/fashion.ts";
import { loadFolder } from "../../src/data/folder.ts";
import { loadNpy } from "../../src/data/npy.ts";
import { svhn } from "../../src/data/svhn.ts";
import { firstState } from "../../src/train/session.ts";
import { resolveConfig } from "../../src/train/settings.ts";
import { encodeWeights, named, readWeights } from "../../src/train/weights.ts";
import { stridesOf } from "../../src/util/shape.ts";
import { bytesOf, matArray, matElement, matFile, npyFile, paxRecord, tarEntry, tarFile } from "./files.ts";
import { type Dice, mutatedBytes, mutatedText } from "./mutate.ts";
import { damagedPng, pictures, png } from "./fuzz-png.ts";
import { pickled, tensor, torchFile } from "./torch-files.ts";
import { type FuzzTarget, inFolder, withHeader, safetensors, TOML, problem } from "./fuzz-target.ts";
import { checkpoints, listed, records, sdeRecords, slurmJobs, studyRecords, sweepFiles } from "./fuzz-runs.ts";

const pixels = (n: number) => Uint8Array.from({ length: n }, (_, i) => (i * 37) % 251);

function npy(): FuzzTarget {
  const dir = inFolder("npy");
  const images = [
    npyFile("|u1", [4, 1, 2, 2], pixels(16)),
    npyFile("<f4", [4, 1, 2, 2], bytesOf(Float32Array.from(pixels(16)))),
    npyFile(">f4", [4, 2, 2], Buffer.alloc(64), { fortran: true, version: 2 }),
  ];
  const labels = [
    npyFile("<i8", [4], bytesOf(BigInt64Array.of(0n, 1n, 2n, 1n))),
    npyFile("|b1", [4, 1], Uint8Array.of(0, 1, 1, 0), { version: 3 }),
    npyFile("<f8", [4], bytesOf(Float64Array.of(0, 1, 2, 1))),
  ];
  const [x, y] = [join(dir, "x.npy"), join(dir, "y.npy")];
  const damaged = (file: Buffer, dice: Dice) => {
    const start = file[6] === 1 ? 10 : 12;
    const end = start + (start === 10 ? file.readUInt16LE(8) : file.readUInt32LE(8));
    const put = (head: Buffer, length: number) =>
      start === 10 ? head.writeUInt16LE(length & 0xffff, 8) : head.writeUInt32LE(length, 8);
    return withHeader(file, start, end, put, dice);
  };
  return {
    name: "npy",
    opens: ["data/npy.ts", "data/labels.ts", "data/files.ts"],
    run: (dice) => {
      const [image, label] = [dice.pick(images), dice.pick(labels)];
      const which = dice.below(2);
      writeFileSync(x, which === 0 ? damaged(image, dice) : image);
      writeFileSync(y, which === 1 ? damaged(label, dice) : label);
      const layout = dice.pick([undefined, undefined, "nhwc", "nchw"] as const);
      return loadNpy({ images: x, labels: y, testImages: x, testLabels: y, layout });
    },
  };
}

function csv(): FuzzTarget {
  const dir = inFolder("csv");
  const texts = [
    'x,"c, d",y\n1,red,a\n-2.5e1,"bl ""u"" e",b\n.5,red,a\n',
    "x,y\r\n1,2\r\n3,4\r\n",
    "y;x\n1;2\n",
    "y,x\na,NA\n",
  ];
  const file = join(dir, "x.csv");
  return {
    name: "csv",
    opens: ["data/csv-file.ts"],
    run: (dice) => {
      const text = Buffer.from(dice.pick(texts));
      const damaged = dice.chance(0.5) ? Buffer.from(mutatedText(text.toString(), dice)) : mutatedBytes(text, dice);
      writeFileSync(file, dice.chance(0.2) ? gzipSync(damaged) : damaged);
      const classes = dice.pick([undefined, true, false]);
      return loadCsv({ file, testFile: file, target: dice.pick(["x", "y"]), classes });
    },
  };
}

function idx(): FuzzTarget {
  const dir = inFolder("idx");
  const header = (...sizes: number[]) => {
    const bytes = Buffer.alloc(4 + 4 * sizes.length);
    bytes.set([0, 0, 8, sizes.length]);
    for (const [i, size] of sizes.entries()) bytes.writeUInt32BE(size, 4 + 4 * i);
    return bytes;
  };
  const files = {
    "images-idx3-ubyte": Buffer.concat([header(2, 28, 28), pixels(2 * 784)]),
    "labels-idx1-ubyte": Buffer.concat([header(2), Uint8Array.of(3, 9)]),
  };
  return {
    name: "idx and gzip",
    opens: ["data/mnist-layout.ts", "data/files.ts"],
    run: (dice) => {
      for (const part of ["train", "t10k"])
        for (const [name, whole] of Object.entries(files)) {
          const way = part === "train" ? dice.below(4) : 3;
          const inner = way === 0 ? mutatedBytes(whole, dice) : whole;
          const packed = gzipSync(way === 1 ? Buffer.concat([inner, Buffer.alloc(dice.pick([10, 2 ** 18]))]) : inner, {
            level: 1,
          });
          writeFileSync(join(dir, `${part}-${name}.gz`), way === 2 ? mutatedBytes(packed, dice) : packed);
        }
      return fashionMnist.load({ dir });
    },
  };
}

function cifar(): FuzzTarget {
  const dir = inFolder("cifar");
  const batches = [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`);
  const record = Buffer.concat([Uint8Array.of(7), pixels(3072)]);
  const long = `${"very/".repeat(30)}long/`;
  const entries = [...batches, "test_batch.bin"].map((name) => [
    tarEntry({ name: "PaxHeader", kind: "x", data: paxRecord("path", `${long}${name}`) }),
    tarEntry({ name, data: record }),
  ]);
  return {
    name: "CIFAR in tar",
    opens: ["data/cifar.ts"],
    run: (dice) => {
      const all = entries.flat();
      const at = dice.below(all.length);
      const way = dice.below(4);
      if (way < 3) {
        const entry = mutatedBytes(all[at]!, dice);
        // Behind a right checksum, a damaged header is believed.
        if (way > 0 && entry.length >= 512) {
          entry.write("        ", 148);
          const sum = entry.subarray(0, 512).reduce((total, byte) => total + byte, 0);
          entry.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
        }
        all[at] = entry;
      } else
        all.splice(
          at,
          1,
          tarEntry({
            name: dice.pick(["../../x", "/etc/passwd", batches[0]!]),
            kind: dice.pick(["1", "2", "0", "5", "L", "g"]),
            link: "/etc/passwd",
          }),
        );
      const archive = dice.chance(0.1) ? mutatedBytes(tarFile(...all), dice) : tarFile(...all);
      writeFileSync(join(dir, "cifar-10-binary.tar.gz"), dice.chance(0.5) ? archive : gzipSync(archive, { level: 1 }));
      return cifar10.load({ dir });
    },
  };
}

function mat(): FuzzTarget {
  const dir = inFolder("mat");
  const X = matArray("X", [32, 32, 3, 2], 9, 2, pixels(6144));
  const ys = [
    matArray("y", [2, 1], 9, 2, Uint8Array.of(10, 1)),
    matArray("y", [2, 1], 14, 12, BigInt64Array.of(10n, 1n)),
    matArray("y", [2, 1], 6, 9, Float64Array.of(10, 1)),
  ];
  const compressed = (element: Uint8Array) => {
    const data = deflateSync(element, { level: 1 });
    const tag = matElement(15, data);
    return tag.subarray(0, 8 + data.length);
  };
  return {
    name: "SVHN in MAT",
    opens: ["data/svhn.ts"],
    run: (dice) => {
      const parts = [X, dice.pick(ys)].map((element) => {
        const inner = dice.chance(0.5) ? mutatedBytes(element, dice) : element;
        return dice.chance(0.5) ? compressed(inner) : inner;
      });
      const file = matFile(...parts);
      for (const name of ["train_32x32.mat", "test_32x32.mat"])
        writeFileSync(join(dir, name), dice.chance(0.3) ? mutatedBytes(file, dice) : file);
      return svhn.load({ dir });
    },
  };
}

function weights(): FuzzTarget {
  const path = join(inFolder("weights"), "weights.safetensors");
  const { model } = problem();
  const whole = Buffer.from(
    encodeWeights(model, { theta: firstState(problem()).theta, buffers: new Float32Array(1) }, { a: "b" }),
  );
  return {
    name: "weights in safetensors",
    opens: ["train/weights.ts"],
    run: (dice) => {
      writeFileSync(path, safetensors(whole, dice));
      return readWeights(path, model);
    },
  };
}

/** The same weights as torch.save writes them; damage behind right checksums in most cases. */
function torchWeights(): FuzzTarget {
  const path = join(inFolder("torch"), "weights.pth");
  const { model } = problem();
  const { theta } = firstState(problem());
  const arrays = Object.entries(named(model.parameters, theta));
  const views = arrays.map(([name, { shape, data }], i) => [
    name,
    tensor({ key: String(i), count: data.length, shape, strides: stridesOf(shape) }),
  ]);
  const pickle = Buffer.from(pickled.file(pickled.dict(Object.fromEntries(views))), "latin1");
  const storages = arrays.map(([, { data }]) => bytesOf(data));
  return {
    name: "weights of PyTorch",
    opens: ["train/weights.ts"],
    run: (dice) => {
      const at = dice.chance(0.7) ? -1 : dice.below(storages.length);
      const file = torchFile(
        at < 0 ? mutatedBytes(pickle, dice) : pickle,
        Object.fromEntries(storages.map((data, i) => [i, i === at ? mutatedBytes(data, dice) : data])),
      );
      writeFileSync(path, dice.chance(0.2) ? mutatedBytes(file, dice) : file);
      return readWeights(path, model);
    },
  };
}

/** Folders of pictures, one of them damaged. */
function folderOfImages(): FuzzTarget {
  const dir = inFolder("images");
  const paths = ["cat/a.png", "cat/b.jpg", "dog/c.jpeg"].map((name) => join(dir, "train", name));
  for (const path of paths) mkdirSync(dirname(path), { recursive: true });
  return {
    name: "folders of images",
    opens: ["data/image-file.ts"],
    run: (dice) => {
      const which = dice.below(paths.length);
      for (const [i, path] of paths.entries()) {
        const whole = dice.pick(path.endsWith("png") ? pictures.png : pictures.jpeg);
        const damaged = path.endsWith("png") ? damagedPng : mutatedBytes;
        writeFileSync(path, i === which ? damaged(whole, dice) : whole);
      }
      return loadFolder({ path: dir, size: dice.pick([undefined, 8]) });
    },
  };
}

const config: FuzzTarget = {
  name: "settings",
  opens: [],
  run: (dice) => {
    const [key, value] = [
      "optimizer.lr=0.1 data.dir=x schedule.milestones=[1,2] data.flip=true seed=1 model.name=mlp",
    ].flatMap((text) => dice.pick(text.split(" ")).split("=")) as [string, string];
    const way = dice.below(3);
    const toml =
      way === 0 ? TOML : way === 1 ? mutatedText(TOML, dice) : mutatedBytes(Buffer.from(TOML), dice).toString();
    const override = dice.chance(0.5) ? `${key}=${mutatedText(value, dice)}` : mutatedText(`${key}=${value}`, dice);
    return resolveConfig(toml, way === 0 || dice.chance(0.2) ? [override] : []);
  },
};

/** Values of options such as those of `export`. */
const options: FuzzTarget = {
  name: "options",
  opens: [],
  run: (dice) => {
    const parse = dice.pick([
      positiveInteger,
      nonNegativeInteger,
      positiveNumber,
      oneOf(["train", "test"]),
      someOf(["a", "b"]),
    ]);
    return parse(mutatedText(dice.pick(["1", "64", "train", "a,b", "0.5"]), dice));
  },
};

export const fuzzTargets = (): readonly FuzzTarget[] => [
  npy(),
  csv(),
  png,
  folderOfImages(),
  idx(),
  cifar(),
  mat(),
  weights(),
  torchWeights(),
  checkpoints(),
  records(),
  sdeRecords(),
  listed(),
  studyRecords(),
  sweepFiles(),
  slurmJobs(),
  config,
  options,
];
