import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { asNchw } from "../src/data/image-layout.ts";
import { loadNpy } from "../src/data/npy.ts";
import { train } from "../src/node.ts";
import { builtIn } from "../src/train/registry.ts";
import { notesOf } from "../src/train/notes.ts";
import { openSession, problemOf } from "../src/train/session.ts";
import { checkConfig } from "../src/train/settings.ts";
import { modelFor, taskOf } from "../src/train/task.ts";
import { bytesOf, npyFile } from "./support/files.ts";

const folder = mkdtempSync(join(tmpdir(), "eigensam-mistakes-"));
let files = 0;
const array = (descr: string, shape: readonly number[], data: ArrayBufferView): string => {
  const path = join(folder, `${files++}.npy`);
  writeFileSync(path, npyFile(descr, shape, bytesOf(data)));
  return path;
};

const labels = (...values: number[]) => array("<i4", [values.length], Int32Array.from(values));
const pixels = (...shape: number[]) =>
  array(
    "|u1",
    shape,
    Uint8Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => i % 256),
  );

const load = (y: readonly number[], yt: readonly number[]) =>
  loadNpy({
    images: pixels(y.length, 1, 2, 2),
    labels: labels(...y),
    testImages: pixels(yt.length, 1, 2, 2),
    testLabels: labels(...yt),
  });

describe("classes of arrays", () => {
  it("are those of the training labels; a test set may lack some", () => {
    expect(load([0, 1, 2], [2, 0]).targets.classes).toBe(3);
  });

  it.each([
    ["beyond them", [0, 1, 2], [1, 7], "label 7 of image 1 is not among the training labels, which go from 0 to 2"],
    ["between them", [0, 2, 3], [2, 1], "label 1 of image 1 is not among the training labels, which go from 0 to 3"],
  ])("a test label %s is refused", (_, y, yt, message) => {
    expect(() => load(y, yt)).toThrow(message);
  });

  it("the same from code, unless the classes are given", async () => {
    const of = (y: number[]) => ({
      x: { data: new Float32Array(2 * y.length), shape: [y.length, 2] },
      y: { data: Int32Array.from(y), shape: [y.length] },
    });
    const options = { model: { name: "mlp", width: 2 }, epochs: 1, batch: 2 } as const;
    await expect(train({ ...options, data: { train: of([0, 2]), test: of([1]) } }).done).rejects.toThrow(
      "data.test.y: label 1 of image 0 is not among",
    );
    const trained = await train({ ...options, data: { train: of([0, 2]), test: of([1]), classes: 3 } }).done;
    await trained.release();
  });

  it("without training examples are told, and a stray label with them", () => {
    const config = checkConfig({ model: { name: "mlp", width: 2 }, data: { name: "npy", batch: 1, validation: 0 } });
    const notes = (...y: number[]) => notesOf(problemOf(config, load(y, [0])));
    const [note] = notes(0, 1, 2, 255);
    expect(note).toBe(
      "256 classes, of which 252 have no training example: 3, 4, 5, 6, 7, …; is the largest label, 255, a class?",
    );
    expect(notes(0, 1, 2)).toEqual([]);
  });
});

describe("images in another order of axes", () => {
  const nhwc = Float32Array.from({ length: 2 * 6 * 5 * 3 }, (_, i) => i);
  it.each([[[2, 6, 5, 3]], [[1, 28, 28, 1]], [[3, 32, 32, 4]]])("%j look like NHWC and are refused", (shape) => {
    const x = new Float32Array(shape.reduce((a, b) => a * b));
    expect(() => asNchw(x, shape, "x.npy")).toThrow(
      "looks like NHWC: give x.transpose(0, 3, 1, 2), or say data.layout=nhwc",
    );
    expect(asNchw(x, shape, "x.npy", "nchw").shape).toEqual(shape);
  });

  it("are put in order where data.layout says so", () => {
    const { x, shape } = asNchw(nhwc, [2, 6, 5, 3], "x.npy", "nhwc");
    expect(shape).toEqual([2, 3, 6, 5]);
    const at = (n: number, c: number, i: number, j: number) => x[((n * 3 + c) * 6 + i) * 5 + j];
    expect([at(0, 0, 0, 0), at(0, 2, 0, 1), at(1, 1, 5, 4)]).toEqual([0, 5, 178]);
  });

  it.each([[[2, 3, 32, 32]], [[2, 1, 28, 28]], [[5, 64, 1, 1]], [[2, 4, 3, 3]]])(
    "%j are taken as they are",
    (shape) => {
      expect(asNchw(new Float32Array(shape.reduce((a, b) => a * b)), shape, "x.npy").shape).toEqual(shape);
    },
  );

  it("without an axis of channels are grey; tables say what to do", () => {
    expect(asNchw(new Float32Array(8), [2, 2, 2], "x.npy").shape).toEqual([2, 1, 2, 2]);
    expect(() => asNchw(new Float32Array(8), [2, 4], "x.npy")).toThrow("x.reshape(2, 4, 1, 1), with model.name=mlp");
    expect(() => asNchw(new Float32Array(8), [8], "x.npy")).toThrow("shape [8], expected [n, C, H, W]");
  });

  it("are refused as bytes from code, too", async () => {
    const x = { data: new Uint8Array(2 * 8 * 8 * 3), shape: [2, 8, 8, 3] };
    const data = { train: { x, y: { data: Int32Array.of(0, 1), shape: [2] } } };
    await expect(train({ model: { name: "mlp", width: 2 }, data }).done).rejects.toThrow("this looks like NHWC");
  });
});

describe("settings that switch themselves off", () => {
  const dataset = load([0, 1, 0, 1], [0]);
  const problem = (table: object) =>
    problemOf(checkConfig({ model: { name: "mlp", width: 2 }, data: { batch: 2 }, ...table }), dataset);
  it.each([
    [{ optimizer: { nesterov: true, momentum: 0 } }, "optimizer.nesterov is true, but optimizer.momentum is 0"],
    [{ optimizer: { nesterov: true, name: "adamw" } }, "optimizer.nesterov is true, but adamw has no such form"],
    [{ schedule: { name: "step" } }, "schedule.name is step, but schedule.milestones is empty"],
  ])("%j is refused", (table, message) => {
    expect(() => problem(table)).toThrow(message);
  });

  it("are told where the run can be trained nevertheless", () => {
    const notes = (schedule: object) => notesOf(problem({ schedule, train: { epochs: 10 } }));
    expect(notes({ name: "step", milestones: [5, 10, 30] })).toEqual([
      "the run ends after 10 epochs, before milestones 10, 30",
    ]);
    expect(notes({ name: "cosine", milestones: [5] })).toEqual(["schedule cosine does not read schedule.milestones"]);
  });
});

describe("images too small for a network", () => {
  const format = { targets: { kind: "labels", classes: 2 }, mean: [0], std: [1], dtype: "f32" } as const;
  const modelOf = (name: string, side: number) =>
    modelFor(
      taskOf(checkConfig({ model: { name, width: 2 } }), builtIn, { ...format, inputShape: [1, side, side] }),
      2,
    );
  it.each([1, 2, 3])("cnn6 on %d×1 pixels says that pooling does not fit", (side) => {
    expect(() => modelOf("cnn6", side)).toThrow("pooling: a window of 2 pixels does not fit into 1");
  });

  it("cnn6 takes 4×4", () => {
    expect(modelOf("cnn6", 4).outputShape).toEqual([2, 2]);
  });

  it("batch norm over one value per channel is refused, and two are fine", async () => {
    const session = (batch: number) => {
      const config = checkConfig({
        model: { name: "resnet18", width: 1 },
        method: { name: "sgd" },
        threads: 1,
        data: { batch, validation: 0, crop: 0, flip: false },
      });
      return openSession(problemOf(config, { ...dataset }));
    };
    const dataset = load([0, 1, 0, 1], [0]);
    await expect(session(1)).rejects.toThrow("would be of one number per channel, which has no spread");
    await (await session(2)).release();
  });
});

it("a method that perturbs parameters of a kind says so of a network that has none", () => {
  const dataset = load([0, 1, 2], [0]);
  const notes = (model: string, method: string) =>
    notesOf(
      problemOf(
        checkConfig({
          ...{ model: { name: model, width: 2 }, method: { name: method } },
          data: { name: "npy", batch: 1, validation: 0 },
        }),
        dataset,
      ),
    );
  expect(notes("mlp", "sam-on")).toEqual([expect.stringContaining("mlp has none of them")]);
  for (const [model, method] of [
    ["mlp", "asam-eta"],
    ["mlp", "sam"],
    ["resnet18", "sam-on"],
  ] as const)
    expect(notes(model, method)).toEqual([]);
});
