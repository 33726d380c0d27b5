import { describe, expect, it } from "vitest";
import { inPackage } from "../src/util/package.ts";
import { dotOf, normOf, relativeError } from "./support/numbers.ts";
import { officialGolden, officialProblem } from "./support/official.ts";
import { F64 } from "./tolerances.ts";

const files = {
  images: inPackage("datasets/fashion-mini/train-images-idx3-ubyte.gz"),
  labels: inPackage("datasets/fashion-mini/train-labels-idx1-ubyte.gz"),
};

describe.each(["sam", "eigen-sam"] as const)("the recorded run of the official %s", (method) => {
  const golden = officialGolden(method);
  const { model, theta, v, batches } = officialProblem(golden, files);
  const { names, thetaNorm, thetaDotV, pixelSums, labels } = golden.inputs;
  const whole = (arrays: Readonly<Record<string, Float64Array>>) => names.flatMap((name) => [...arrays[name]!]);

  it("starts from weights and a direction that can be made here", () => {
    expect(model.parameters.entries.map(({ name }) => name)).toEqual(names);
    expect(relativeError([normOf(whole(theta))], [thetaNorm])).toBeLessThan(F64);
    expect(Math.abs(dotOf(whole(theta), whole(v)) - thetaDotV)).toBeLessThan(F64 * thetaNorm);
    expect(relativeError([normOf(whole(v))], [1])).toBeLessThan(F64);
  });

  it("read the images that come with the package, in the order of the file", () => {
    expect(batches.map(({ x: images }) => images.reduce((sum, pixel) => sum + pixel, 0))).toEqual(pixelSums);
    expect([...batches[0]!.y]).toEqual(labels);
  });
});
