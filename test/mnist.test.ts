import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { datasets, loadDataset } from "../src/data/index.ts";
import type { DatasetEntry } from "../src/data/entry.ts";

const temporary = () => mkdtempSync(join(tmpdir(), "eigensam-mnist-"));

describe("mnist", () => {
  const idx = (shape: readonly number[], data: ArrayLike<number>) =>
    Uint8Array.from([0, 0, 8, shape.length, ...shape.flatMap((n) => [0, 0, n >> 8, n & 255]), ...Array.from(data)]);
  /** The four files of a set of two training images and one test image, packed or not. */
  function write(folder: string, packed: boolean, height = 28) {
    mkdirSync(folder, { recursive: true });
    for (const [part, count] of [
      ["train", 2],
      ["t10k", 1],
    ] as const)
      for (const [name, bytes] of [
        [
          `${part}-images-idx3-ubyte`,
          idx(
            [count, height, 28],
            Array.from({ length: count * height * 28 }, (_, i) => i % 251),
          ),
        ],
        [`${part}-labels-idx1-ubyte`, idx([count], count === 2 ? [7, 3] : [9])],
      ] as const)
        writeFileSync(join(folder, packed ? `${name}.gz` : name), packed ? gzipSync(bytes) : bytes);
  }

  it.each([
    ["as published", true, []],
    ["unpacked, where torchvision puts it", false, ["MNIST", "raw"]],
  ] as const)("is read from IDX files %s", async (_, packed, inside) => {
    const dir = temporary();
    write(join(dir, ...inside), packed);
    const { train, test, inputShape, mean, std, targets } = await loadDataset("mnist", { dir });
    expect([train.count, test.count, inputShape, targets]).toEqual([
      2,
      1,
      [1, 28, 28],
      { kind: "labels", classes: 10 },
    ]);
    expect([[...train.y], [...test.y]]).toEqual([[7, 3], [9]]);
    expect(train.x[784 + 5]).toBe((784 + 5) % 251);
    expect([mean, std]).toEqual([[0.1307], [0.3081]]);
    expect((datasets.mnist as DatasetEntry).augment).toBeUndefined();
  });

  it("is refused where it is another size, and says where it looked where it is not there", async () => {
    const dir = temporary();
    await expect(loadDataset("mnist", { dir })).rejects.toThrow(
      /mnist is not here: .*train-images-idx3-ubyte\.gz.*\n {2}hint: eigensam data fetch mnist/,
    );
    write(dir, true, 27);
    await expect(loadDataset("mnist", { dir })).rejects.toThrow("images of 27×28, expected 28×28");
  });
});
