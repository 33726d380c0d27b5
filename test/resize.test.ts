import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { input } from "../src/graph/ops/source.ts";
import { train } from "../src/api/train.ts";
import { namedModel } from "../src/models/index.ts";
import { declare, forward, vectorInput } from "../src/nn/scope.ts";
import { startFrom } from "../src/train/start-weights.ts";
import { decodeSafetensors, encodeSafetensors } from "../src/util/safetensors.ts";
import { type Interpolation, interpolationMatrix, resizeImages } from "../src/nn/resize.ts";
import { sizeOf } from "../src/util/shape.ts";
import { fill, relativeError } from "./support/numbers.ts";
import { runOn } from "./support/run.ts";
import { F32, F64 } from "./tolerances.ts";

interface Golden {
  readonly mode: Interpolation;
  readonly shape: readonly [number, number, number, number];
  readonly size: readonly [number, number];
  readonly output: readonly number[];
}

const { cases } = JSON.parse(readFileSync(new URL("golden/resize.json", import.meta.url), "utf8")) as {
  readonly cases: readonly Golden[];
};
const title = ({ mode, shape, size }: Golden) => `${mode} from ${shape.slice(2).join("×")} to ${size.join("×")}`;

describe("model.resize", () => {
  const options = { classes: 3, width: 8, depth: 1, heads: 2 } as const;
  const shape = [2, 1, 5, 7];
  const resizing = declare(namedModel("vit", { ...options, resize: 8 }), shape);
  const plain = declare(namedModel("vit", options), [2, 1, 8, 8]);
  const theta = fill(3, plain.parameters.size, 0.5);

  it("gives a network what it would be given of resized images", async () => {
    expect(resizing.parameters).toEqual(plain.parameters);
    const x = input("x", shape, "f64");
    const logitsOf = (model: typeof plain, of: typeof x) =>
      forward(model, of, {
        theta: vectorInput("theta", model.parameters, "f64"),
        buffers: input("b", [1]),
        training: true,
      }).logits;
    const outputs = { ours: logitsOf(resizing, x), expected: logitsOf(plain, resizeImages(x, 8, 8)) };
    const found = await runOn(outputs, { theta, x: fill(7, 70) });
    expect(relativeError(found.ours, found.expected)).toBeLessThan(F64);
  });

  it("is trained, kept, and exported for any number of images", async () => {
    const pixels = Uint8Array.from({ length: 8 * 35 }, (_, i) => (i * 37) % 256);
    const x = { data: pixels, shape: [8, 1, 5, 7] };
    const y = { data: Int32Array.of(0, 1, 2, 0, 1, 2, 0, 1), shape: [8] };
    const model = { name: "vit", width: 8, depth: 1, heads: 2, resize: 8 } as const;
    const trained = await train({ data: { train: { x, y } }, model, method: "sam", epochs: 1 }).done;
    const path = await trained.export(join(mkdtempSync(join(tmpdir(), "eigensam-resize-")), "net.onnx"));
    expect(readFileSync(path).length).toBeGreaterThan(1000);
    expect((await trained.predict(x)).shape).toEqual([8, 3]);
    await trained.release();
  });

  it.each([
    [{ resize: 8 }, [2, 5], "model.resize is 8, but the inputs are [n, 5], no images [n, C, H, W]"],
    [{ resize: 0 }, [2, 1, 8, 8], "model.resize is 0, expected a whole number of at least 1"],
  ])("%j on %j is refused", (given, inputShape, message) => {
    expect(() => declare(namedModel("mlp", { classes: 2, ...given }), inputShape)).toThrow(message);
  });

  it("decides the grid that position embeddings are interpolated to", () => {
    const path = fileURLToPath(new URL("golden/vit-torchvision.safetensors", import.meta.url));
    const model = declare(namedModel("vit", { ...options, classes: 4, depth: 2, resize: 12 }), [1, 3, 8, 8]);
    const { tensors } = decodeSafetensors(readFileSync(path), path);
    const positions = { dtype: "F32", shape: [1, 5, 8], data: Float32Array.from(fill(1, 40)) } as const;
    const file = join(mkdtempSync(join(tmpdir(), "eigensam-resize-")), "w.safetensors");
    writeFileSync(file, encodeSafetensors({ ...tensors, "encoder.pos_embedding": positions }));
    const fresh = { theta: new Float32Array(model.parameters.size), buffers: new Float32Array(1) };
    const start = { path: file, digest: undefined, anew: new Set<string>(), strict: true };
    expect(startFrom({ ...start, resize: 12 }, model, fresh).notes).toContain(
      "position embeddings of 2×2 patches are interpolated to 3×3, bicubically",
    );
  });
});

describe("resizing", () => {
  it.each(cases.map((golden) => [title(golden), golden] as const))("%s is PyTorch's, by its matrices", (_, golden) => {
    const { mode, shape, size, output } = golden;
    const [images, [count, channels, height, width]] = [fill(11, sizeOf(shape)), shape];
    const [down, across] = [interpolationMatrix(height, size[0], mode), interpolationMatrix(width, size[1], mode)];
    const found: number[] = [];
    for (let image = 0; image < count * channels; image++)
      for (let i = 0; i < size[0]; i++)
        for (let j = 0; j < size[1]; j++) {
          let total = 0;
          for (let r = 0; r < height; r++)
            for (let c = 0; c < width; c++)
              total += down[i * height + r]! * across[j * width + c]! * images[(image * height + r) * width + c]!;
          found.push(total);
        }
    expect(relativeError(found, output)).toBeLessThan(F64);
  });

  it.each([
    ["f64", F64],
    ["f32", F32],
  ] as const)("of images in a graph is PyTorch's in %s", async (dtype, tolerance) => {
    for (const { shape, size, output } of cases.filter(({ mode }) => mode === "bilinear")) {
      const { y } = await runOn({ y: resizeImages(input("x", shape, dtype), ...size) }, { x: fill(11, sizeOf(shape)) });
      expect(relativeError(y, output)).toBeLessThan(tolerance);
    }
  });
});
