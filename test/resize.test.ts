import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { input } from "../src/graph/ops/source.ts";
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
