import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { loadRun } from "../src/api/load-run.ts";
import { train } from "../src/api/train.ts";
import { mul, sub } from "../src/graph/ops/elementwise.ts";
import { mean } from "../src/nn/functions.ts";
import { linear } from "../src/nn/layers.ts";
import type { LossFunction } from "../src/nn/losses.ts";
import type { Network } from "../src/nn/scope.ts";
import { defineMethod } from "../src/optim/method.ts";
import { defineMetric } from "../src/optim/metrics/metric.ts";
import { norm, unit } from "../src/optim/vector.ts";
import { ConfigError, DataError } from "../src/util/errors.ts";

const dir = join(mkdtempSync(join(tmpdir(), "eigensam-load-")), "run");

const x = [[0], [1], [2], [3]];
const data = { train: { x, y: [[1], [3], [5], [7]] } };
const model: Network = (scope, input) => linear(scope.at("out"), input, 1);
const loss: LossFunction = (output, target) => mean(mul(sub(output, target), sub(output, target)));
const plain = (summary: string) => ({
  use: defineMethod({
    name: "plain",
    title: "Plain",
    summary,
    series: { ascent: ({ g }) => mul(0, unit(g)), factors: [0, 0] },
  }),
});
const size = defineMetric({
  name: "thetaSize",
  title: "size of the weights",
  symbol: "s",
  about: "norm of the weights",
  of: ({ theta }) => norm(theta),
});
const parts = { data, model, loss, method: plain("∇f(θ)"), metrics: [size] };

let predicted: ArrayLike<number> = [];
beforeAll(async () => {
  const optimizer = { lr: 0.05, weightDecay: 0 };
  const trained = await train({ ...parts, optimizer, epochs: 3, batch: 4, threads: 1, dir }).done;
  predicted = (await trained.predict([[10]])).data;
  await trained.release();
});

describe("a run with parts of one's own", () => {
  it("is loaded with them, and is the network that was trained", async () => {
    const loaded = await loadRun(dir, parts);
    expect([loaded.status, loaded.steps]).toEqual(["done", 3]);
    expect((await loaded.predict([[10]])).data).toEqual(predicted);
    expect((await loaded.evaluate(data.train)).loss).toBeGreaterThan(0);
    expect((await loaded.curvature()).eigenvalues[0]).toBeGreaterThan(0);
    await loaded.release();
  });

  it.each(["data", "model", "loss", "method"] as const)(
    "is refused without its %s, which the error names",
    async (part) => {
      const { [part]: _, ...others } = parts;
      await expect(loadRun(dir, others)).rejects.toThrow(ConfigError);
      await expect(loadRun(dir, others)).rejects.toThrow(
        new RegExp(`has the ${part} \\w+, which is not built in\n.*{ ${part} }`),
      );
    },
  );

  const wider: Network = (scope, input) => linear(scope.at("last"), linear(scope.at("out"), input, 2), 1);
  it.each<[string, object, RegExp]>([
    [
      "data",
      { data: { train: { x, y: [[1], [3], [5], [8]] } } },
      /the train examples of arrays are not those of the run/,
    ],
    ["a network", { model: wider }, /out\.weight has shape|is missing|another network/],
    ["a method", { method: plain("something else") }, /was trained with another method plain/],
    ["an option", { modell: model }, /there is no option modell/],
  ])("is refused with %s that differs", async (_, other, message) => {
    await expect(loadRun(dir, { ...parts, ...other })).rejects.toThrow(message);
  });

  it("says which examples differ by a DataError", async () => {
    const other = { train: { x: [[0], [1], [2], [4]], y: data.train.y } };
    await expect(loadRun(dir, { ...parts, data: other })).rejects.toThrow(DataError);
  });
});
