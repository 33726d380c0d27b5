import { describe, expect, it } from "vitest";
import { type CurvatureRequest, measureProblem, type Progress } from "../src/curvature/measure.ts";
import { initialize } from "../src/nn/layout.ts";
import { rng } from "../src/util/rng.ts";
import { lossOf } from "./support/curvature.ts";
import { batchesOf, normedModel, normedNetwork } from "./support/small-losses.ts";

const layout = normedModel.parameters;
const theta = initialize(layout, (name) => rng(3, "theta", name), new Float64Array(layout.size));
const request: Partial<CurvatureRequest> = { top: 2, trace: true, density: true, layers: true, probes: 2, steps: 6 };

/** Measures, and stops at a progress that is the one looked for. */
async function stoppedAt(found: (progress: Progress) => boolean, more: Partial<CurvatureRequest> = {}) {
  const buffers = new Float64Array(normedModel.buffers.size);
  const loss = lossOf({
    network: normedNetwork,
    inputShape: [1, 6, 6],
    classes: 6,
    batches: batchesOf([10, 6]),
    buffers,
  });
  const problem = { loss, layout, theta, model: "normed", data: "noise", bn: "batch" } as const;
  const controller = new AbortController();
  const listen = (progress: Progress) => found(progress) && controller.abort();
  const {
    seconds: _,
    products: __,
    ...result
  } = await measureProblem(problem, { ...request, ...more }, listen, controller.signal);
  return result;
}

describe("a measurement that is stopped", () => {
  const whole = stoppedAt(() => false);

  it.each(["trace", "density", "layers"] as const)(
    "during the %s keeps what came before, as it is without a stop",
    async (part) => {
      const result = await stoppedAt((progress) => progress.part === part && progress.done === 1);
      const { trace, frobenius, density, layers, ...rest } = await whole;
      const earlier = part === "trace" ? {} : { trace, frobenius, ...(part === "density" ? {} : { density }) };
      expect(result).toEqual({ ...rest, ...earlier, stopped: true });
      expect([trace, frobenius, density, layers].every((each) => each !== undefined)).toBe(true);
    },
  );

  it("after some layers keeps those", async () => {
    // Layers run eight side by side, and this network has fewer: all are handed over before the slice begins.
    const slices = [{ directions: ["g"], points: 5 }] as const;
    const result = await stoppedAt(({ part, done }) => part === "slice" && done === 1, { slices });
    expect(result.layers).toEqual((await whole).layers);
    expect(result.stopped).toBe(true);
  });

  it("before the eigenvalues are there has no result", async () => {
    await expect(stoppedAt(({ part, done }) => part === "eigenvalues" && done === 2)).rejects.toThrow(/aborted/i);
  });

  it("says of each part how many products it takes before it begins", async () => {
    const begun: Progress[] = [];
    await stoppedAt((progress) => {
      if (progress.done === 0) begun.push(progress);
      return false;
    });
    expect(begun.map(({ part }) => part)).toEqual(["eigenvalues", "check", "trace", "trace", "density", "layers"]);
    expect(begun.every(({ of }) => of > 0)).toBe(true);
  });
});
