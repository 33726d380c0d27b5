import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { loadRun } from "../src/api/load-run.ts";
import { train } from "../src/api/train.ts";
import { input } from "../src/graph/ops/source.ts";
import { defineModel, type ModelOptions } from "../src/models/entry.ts";
import { namedModel } from "../src/models/index.ts";
import { mlp } from "../src/models/mlp.ts";
import { unpack } from "../src/nn/layout.ts";
import { interpolationMatrix } from "../src/nn/resize.ts";
import { declare, forward, type Model, vectorInput } from "../src/nn/scope.ts";
import { startFrom } from "../src/train/start-weights.ts";
import { encodeWeights, readWeights } from "../src/train/weights.ts";
import { ConfigError, InputError } from "../src/util/errors.ts";
import { decodeSafetensors, encodeSafetensors, type SafeTensor } from "../src/util/safetensors.ts";
import { type Shape, sizeOf } from "../src/util/shape.ts";
import { fill, relativeError } from "./support/numbers.ts";
import { runOn } from "./support/run.ts";
import { GOLDEN_F64 } from "./tolerances.ts";

type Tensors = Readonly<Record<string, SafeTensor>>;

const folder = mkdtempSync(join(tmpdir(), "eigensam-start-"));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
function written(tensors: Tensors): string {
  const path = join(folder, `${files++}.safetensors`);
  writeFileSync(path, encodeSafetensors(tensors));
  return path;
}

const golden = (name: string) => fileURLToPath(new URL(`golden/${name}`, import.meta.url));
const libraries = ["torchvision", "hugging-face", "timm"] as const;
const fileOf = (library: (typeof libraries)[number]) => golden(`vit-${library}.safetensors`);
const tensorsOf = (path: string): Tensors => decodeSafetensors(readFileSync(path), path).tensors;
const { weights: reference } = JSON.parse(readFileSync(golden("vit.json"), "utf8")) as {
  readonly weights: { readonly options: ModelOptions; readonly inputShape: Shape; readonly logits: readonly number[] };
};
const model = declare(namedModel("vit", reference.options), reference.inputShape);

const zeros = ({ parameters, buffers }: Model) => ({
  theta: new Float32Array(parameters.size),
  buffers: new Float32Array(Math.max(1, buffers.size)),
});

/** What starts from a file, over zeros. */
const from = (path: string, of: Model = model, { anew = [] as string[], strict = true } = {}) =>
  startFrom({ path, digest: undefined, anew: new Set(anew), strict }, of, zeros(of));

async function logitsOf({ theta, buffers }: { readonly theta: Float32Array; readonly buffers: Float32Array }) {
  const { inputShape, parameters } = model;
  const bound = {
    theta: vectorInput("theta", parameters, "f64"),
    buffers: input("buffers", [1], "f64"),
    training: false,
  };
  const { logits } = forward(model, input("x", inputShape, "f64"), bound);
  return (await runOn({ logits }, { theta, buffers, x: fill(7, sizeOf(inputShape), 1.7) })).logits;
}

describe("a vision transformer's weights under the names of", () => {
  it.each(libraries)("%s give PyTorch's logits, read and started from", async (library) => {
    const path = fileOf(library);
    expect(relativeError(await logitsOf(readWeights(path, model)), reference.logits)).toBeLessThan(GOLDEN_F64);
    expect(from(path).theta).toEqual(readWeights(path, model).theta);
  });

  it.each(libraries)("%s behind a wrapper's prefix are the same", (library) => {
    const wrapped = Object.entries(tensorsOf(fileOf(library))).map(([name, tensor]) => [`module.${name}`, tensor]);
    expect(readWeights(written(Object.fromEntries(wrapped)), model)).toEqual(readWeights(fileOf(library), model));
  });

  it("torchvision before 0.14 are the same", () => {
    const older = Object.entries(tensorsOf(fileOf("torchvision"))).map(([name, tensor]) => [
      name.replace(".mlp.0.", ".mlp.linear_1.").replace(".mlp.3.", ".mlp.linear_2."),
      tensor,
    ]);
    expect(older.some(([name]) => String(name).includes("linear_2"))).toBe(true);
    expect(readWeights(written(Object.fromEntries(older)), model)).toEqual(readWeights(fileOf("torchvision"), model));
  });

  it("Hugging Face, of which one key is missing or of another shape, are refused and not half read", () => {
    const key = "vit.encoder.layer.1.attention.attention.key.weight";
    const { [key]: tensor, ...rest } = tensorsOf(fileOf("hugging-face"));
    const short = { dtype: "F32", shape: [4, 8], data: new Float32Array(32) } as const;
    for (const tensors of [rest, { ...rest, [key]: short }])
      expect(() => readWeights(written(tensors), model)).toThrow(
        /encoder\.layer\.1\.attention.*is no part of this model/,
      );
    expect(tensor?.shape).toEqual([8, 8]);
  });

  it("two libraries at once are refused: one tensor has two names", () => {
    const both = { ...tensorsOf(fileOf("timm")), class_token: tensorsOf(fileOf("torchvision")).class_token! };
    expect(() => readWeights(written(both), model)).toThrow("cls_token is no part of this model");
  });
});

const small = declare(mlp({ classes: 2, hidden: [3] }), [1, 4]);
const numbers = (size: number) => Float32Array.from({ length: size }, (_, i) => 1 + i / 8);
const whole = tensorsOf(
  (() => {
    const path = join(folder, "whole.safetensors");
    writeFileSync(path, encodeWeights(small, { ...zeros(small), theta: numbers(small.parameters.size) }, {}));
    return path;
  })(),
);
const { "layers.0.bias": bias, ...unbiased } = whole;
const wide = { dtype: "F32", shape: [3, 3], data: new Float32Array(9) } as const;
const spoiled = { ...unbiased, "layers.1.weight": wide, extra: wide };

describe("a file to start from", () => {
  it("that does not fit is refused with all that is missing, of another shape, and unknown", () => {
    const path = written(spoiled);
    expect(() => from(path, small)).toThrow(InputError);
    expect(() => from(path, small)).toThrow(
      `${path} does not fit the model: missing: layers.0.bias; of another shape: layers.1.weight [3, 3] instead of [2, 3]; ` +
        "unknown: extra\n  hint: model.newHead=true starts the last layer anew; model.strict=false takes what fits",
    );
  });

  it("that need not fit gives what fits, leaves the rest, and says so", () => {
    const { theta, notes } = from(written(spoiled), small, { strict: false });
    const parts = unpack(small.parameters, theta);
    expect(parts["layers.0.weight"]).toEqual(whole["layers.0.weight"]?.data);
    expect(parts["layers.1.bias"]).toEqual(whole["layers.1.bias"]?.data);
    expect([...parts["layers.0.bias"]!, ...parts["layers.1.weight"]!]).toEqual(new Array(9).fill(0));
    expect(notes).toEqual([
      expect.stringMatching(/starts from .*: 2 of 4 tensors$/),
      "starting weights, missing: layers.0.bias",
      "starting weights, of another shape: layers.1.weight [3, 3] instead of [2, 3]",
      "starting weights, unknown: extra",
    ]);
  });

  it("leaves a new head as it is drawn, whatever the file has for it, and another library's own", () => {
    const anew = ["layers.1.weight", "layers.1.bias"];
    const found = from(
      written({ ...spoiled, "layers.0.bias": bias!, "pooler.dense.weight": wide, extra: wide }),
      small,
      {
        anew,
        strict: false,
      },
    );
    expect([...unpack(small.parameters, found.theta)["layers.1.bias"]!]).toEqual([0, 0]);
    expect(found.notes).toContain("a new head: layers.1.weight, layers.1.bias");
    expect(found.notes).toContain("starting weights, unknown: extra");
  });

  it("with nothing that fits, or with numbers that are none, is refused", () => {
    expect(() => from(written({ extra: wide }), small, { strict: false })).toThrow("has nothing that fits the model");
    const odd = { dtype: "F32", shape: [3], data: Float32Array.of(0, Number.NaN, 0) } as const;
    expect(() => from(written({ ...whole, "layers.0.bias": odd }), small)).toThrow("layers.0.bias holds NaN");
  });

  it("in float16 and bfloat16 starts from their numbers", () => {
    const halves = { F16: Uint16Array.of(0x3c00, 0xc000, 0x3555), BF16: Uint16Array.of(0x3f80, 0xc000, 0x3eab) };
    for (const [dtype, bits] of Object.entries(halves)) {
      const header = JSON.stringify({ "layers.0.bias": { dtype, shape: [3], data_offsets: [0, 6] } });
      const head = Buffer.alloc(8);
      head.writeBigUInt64LE(BigInt(header.length));
      const path = join(folder, `${dtype}.safetensors`);
      writeFileSync(path, Buffer.concat([head, Buffer.from(header), Buffer.from(bits.buffer)]));
      const found = unpack(small.parameters, from(path, small, { strict: false }).theta)["layers.0.bias"]!;
      expect([found[0], found[1]]).toEqual([1, -2]);
      expect(found[2]).toBeCloseTo(1 / 3, dtype === "F16" ? 3 : 2);
    }
  });
});

describe("position embeddings of another grid", () => {
  const square = declare(namedModel("vit", reference.options), [1, 3, 12, 12]);
  const wideModel = declare(namedModel("vit", reference.options), [1, 3, 20, 16]);
  const positions = { dtype: "F32", shape: [1, 10, 8], data: Float32Array.from(fill(11, 80)) } as const;
  const tensors = { ...tensorsOf(fileOf("torchvision")), "encoder.pos_embedding": positions };

  it("are interpolated bicubically, the class token's kept, and a note says so", () => {
    const { theta, notes } = from(written(tensors), wideModel);
    const found = unpack(wideModel.parameters, theta)["encoder.pos_embedding"]!;
    const [down, across] = [interpolationMatrix(3, 5, "bicubic"), interpolationMatrix(3, 4, "bicubic")];
    const expected = [...positions.data.subarray(0, 8)];
    for (let i = 0; i < 5; i++)
      for (let j = 0; j < 4; j++)
        for (let k = 0; k < 8; k++) {
          let total = 0;
          for (let r = 0; r < 3; r++)
            for (let c = 0; c < 3; c++)
              total += down[i * 3 + r]! * across[j * 3 + c]! * positions.data[8 + (3 * r + c) * 8 + k]!;
          expected.push(total);
        }
    expect(relativeError(found, expected)).toBeLessThan(1e-7);
    expect(notes).toContain("position embeddings of 3×3 patches are interpolated to 5×4, bicubically");
  });

  it("stay as they are where the grid is the same", () => {
    const { theta, notes } = from(written(tensors), square);
    expect(unpack(square.parameters, theta)["encoder.pos_embedding"]).toEqual(positions.data);
    expect(notes).toHaveLength(1);
  });

  it("of no square, or for evaluation, are refused", () => {
    const odd = { ...positions, shape: [1, 8, 10] };
    expect(() => from(written({ ...tensors, "encoder.pos_embedding": odd }), wideModel)).toThrow(
      "of another shape: encoder.pos_embedding [1, 8, 10] instead of [1, 21, 8]",
    );
    expect(() => readWeights(written(tensors), wideModel)).toThrow("encoder.pos_embedding has shape [1, 10, 8]");
  });
});

describe("a run from a file", () => {
  const data = { train: { x: [[0], [1], [2], [3]], y: [0, 0, 1, 1] }, classes: 2 };
  const options = { data, method: "sgd", optimizer: { lr: 0.1 }, epochs: 2 } as const;
  const base = { name: "mlp", width: 3, depth: 1 } as const;
  const pretrained = async () => {
    const path = join(folder, `pretrained-${files++}.safetensors`);
    const trained = await train({ ...options, model: base }).done;
    await trained.save(path);
    return { path, weights: trained.weights() };
  };

  it("begins exactly there", async () => {
    const { path, weights } = await pretrained();
    const still = await train({ ...options, model: { ...base, weights: path }, optimizer: { lr: 0 } }).done;
    expect(still.weights()).toEqual(weights);
  });

  it("starts a new head by its seed, for another number of classes as well", async () => {
    const { path, weights } = await pretrained();
    const model = { ...base, weights: path, newHead: true } as const;
    const three = { train: { x: data.train.x, y: [0, 1, 2, 2] }, classes: 3 };
    const still = await train({ ...options, data: three, model, optimizer: { lr: 0 } }).done;
    const fresh = await train({ ...options, data: three, model: base, optimizer: { lr: 0 } }).done;
    expect(still.weights()["layers.0.weight"]).toEqual(weights["layers.0.weight"]);
    expect(still.weights()["layers.1.weight"]).toEqual(fresh.weights()["layers.1.weight"]);
    await expect(train({ ...options, data: three, model: { ...base, weights: path } }).done).rejects.toThrow(
      "of another shape: layers.1.weight [2, 3] instead of [3, 3]",
    );
  });

  it("resumes to the same bytes, wherever the file is, and not from another one or none", async () => {
    const { path } = await pretrained();
    const moved = join(folder, "moved.safetensors");
    const model = { ...base, weights: path };
    const straight = await train({ ...options, model, dir: join(folder, "straight") }).done;
    const dir = join(folder, "stopped");
    const stopping = train({ ...options, model, dir }, { onEvent: ({ event }) => event === "step" && stopping.stop() });
    expect((await stopping.done).status).toBe("stopped");
    writeFileSync(moved, readFileSync(path));
    const record = JSON.parse(readFileSync(join(dir, "run.json"), "utf8"));
    expect(record.model.start).toMatch(/^[0-9a-f]{64}$/);
    const others = tensorsOf(path);
    writeFileSync(path, encodeSafetensors({ ...others, "layers.0.bias": others["layers.1.bias"]! }));
    await expect(train({ ...options, model, dir }).done).rejects.toThrow("was begun with another file model.weights");
    rmSync(path);
    await expect(train({ ...options, model, dir }).done).rejects.toThrow("a file model.weights that is gone");
    writeFileSync(path, readFileSync(moved));
    const resumed = await train({ ...options, model, dir }).done;
    expect(resumed.weights()).toEqual(straight.weights());
    rmSync(path);
    expect((await loadRun(dir, { data })).weights()).toEqual(straight.weights());
  });

  it.each([
    [{ newHead: true }, "model.newHead is true, but there is no model.weights"],
    [{ strict: false }, "model.strict is false, but there is no model.weights"],
    [{ weights: "" }, "model.weights is empty"],
    [{ weights: "nowhere.safetensors" }, "nowhere.safetensors"],
  ])("with %j is refused", async (given, message) => {
    await expect(train({ ...options, model: { ...base, ...given } }).done).rejects.toThrow(message);
  });

  it("asks for no new head of a network function, which has one for its own number of classes", async () => {
    const { path } = await pretrained();
    const use = defineModel({ name: "fixed", summary: "", build: () => mlp({ classes: 2, hidden: [3] }) });
    const done = train({ ...options, model: { use, weights: path, newHead: true } }).done;
    await expect(done).rejects.toThrow(ConfigError);
    await expect(done).rejects.toThrow("no parameter of fixed depends on the number of classes");
  });
});
