import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { batchMaker } from "../src/data/batch-maker.ts";
import { batchNorm, linear, type Network } from "../src/index.ts";
import { train } from "../src/node.ts";
import { losses } from "../src/nn/losses.ts";
import { runFiles } from "../src/run/files.ts";
import type { SavedWeights } from "../src/train/examples.ts";
import { withStatistics } from "../src/train/reestimate.ts";
import { builtIn } from "../src/train/registry.ts";
import { scoreWeights } from "../src/train/restore.ts";
import { trainRunOf } from "../src/train/run-dir.ts";
import { modelFor, type Task } from "../src/train/task.ts";
import { ConfigError } from "../src/util/errors.ts";
import { rng } from "../src/util/rng.ts";
import { picture } from "./support/png-file.ts";

const folder = mkdtempSync(join(tmpdir(), "eigensam-statistics-"));
afterAll(() => rmSync(folder, { recursive: true }));

const taskOf = (network: Network): Task => ({
  format: { inputShape: [2], targets: { kind: "labels", classes: 2 }, mean: [], std: [], dtype: "f32" },
  ...{ network, loss: losses["cross-entropy"], labelSmoothing: 0, freeze: [] },
});

const random = rng(3, "statistics");
const [count, batch, width, seed] = [22, 5, 3, 9];
const split = {
  x: Float32Array.from({ length: 2 * count }, () => 4 * random.uniform() - 1),
  y: Int32Array.from({ length: count }, (_, i) => i % 2),
  count,
};

describe("statistics of batch norm", () => {
  it("are the means over mini-batches of their means and unbiased variances, as by PyTorch's update_bn", async () => {
    const task = taskOf((scope, x) =>
      linear(scope.at("out"), batchNorm(scope.at("bn"), linear(scope.at("in"), x, width)), 2),
    );
    const { parameters } = modelFor(task, batch);
    const theta = Float32Array.from({ length: parameters.size }, () => random.uniform() - 0.5);
    const place = (name: string) => parameters.entries.find((entry) => entry.name === name)!.offset;
    const [weight, bias] = [place("in.weight"), place("in.bias")];
    const stale = Float32Array.from({ length: 2 * width }, () => 7);
    for (const batches of [1, 4]) {
      // PyTorch: momentum None, so after batch k running = (1 − 1/k)·running + (1/k)·its own, from 0 and 1.
      const expected = [new Array<number>(width).fill(0), new Array<number>(width).fill(1)] as const;
      const make = batchMaker(split, { inputShape: [2], batch, seed });
      for (let k = 1; k <= batches; k++) {
        const x = new Float32Array(2 * batch);
        make(0, k - 1, x, new Int32Array(batch));
        for (let c = 0; c < width; c++) {
          const values = Array.from(
            { length: batch },
            (_, i) =>
              theta[weight + 2 * c]! * x[2 * i]! + theta[weight + 2 * c + 1]! * x[2 * i + 1]! + theta[bias + c]!,
          );
          const mean = values.reduce((sum, value) => sum + value, 0) / batch;
          const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (batch - 1);
          expected[0][c] = (1 - 1 / k) * expected[0][c]! + mean / k;
          expected[1][c] = (1 - 1 / k) * expected[1][c]! + variance / k;
        }
      }
      const { buffers, theta: kept } = await withStatistics(
        task,
        { theta, buffers: stale },
        split,
        { batches, batch, seed },
        { threads: 1 },
      );
      expect(kept).toBe(theta);
      for (const [i, value] of expected.flat().entries()) expect(buffers[i]).toBeCloseTo(value, 5);
    }
  });

  it("are not taken of a network without batch norm, nor from more mini-batches than there are", async () => {
    const of = (network: Network, batches: number) => {
      const task = taskOf(network);
      const model = modelFor(task, batch);
      const [theta, buffers] = [new Float32Array(model.parameters.size), new Float32Array(model.buffers.size || 1)];
      return withStatistics(task, { theta, buffers }, split, { batches, batch, seed }, { threads: 1 });
    };
    const plain = of((scope, x) => linear(scope.at("out"), x, 2), 1);
    await expect(plain).rejects.toThrow("the network has no batch norm");
    await expect(plain).rejects.toThrow(ConfigError);
    const many = of((scope, x) => linear(scope.at("out"), batchNorm(scope.at("bn"), x), 2), 5);
    await expect(many).rejects.toThrow("from 5 mini-batches, but there are 4 of 5 training examples");
  });

  it("let a run be scored whose own have hardly begun to move", async () => {
    for (const [part, n] of [
      ["train", 16],
      ["test", 6],
    ] as const)
      for (const name of ["dark", "light"]) {
        mkdirSync(join(folder, part, name), { recursive: true });
        for (let i = 0; i < n; i++)
          writeFileSync(
            join(folder, part, name, `${i}.png`),
            picture(8, 1, (x, y) => (name === "dark" ? 60 : 150) + ((13 * i + 7 * x + 3 * y) % 50)),
          );
      }
    const dir = join(folder, "run");
    const trained = await train({
      ...{
        data: { name: "folder", path: folder },
        dir,
        model: { name: "resnet18", width: 4 },
        method: { name: "sgd" },
      },
      ...{ optimizer: { lr: 0.02 }, epochs: 2, batch: 8, threads: 1 },
    }).done;
    await trained.release();
    const kind = trainRunOf(builtIn);
    const { format, digests } = kind.readRecord(dir)!.data;
    const saved: SavedWeights = {
      ...{ config: kind.readConfig(dir), path: runFiles(dir).weights, run: dir, format, digests },
    };
    const own = await scoreWeights(saved, "test");
    const anew = await scoreWeights(saved, "test", builtIn, { bnBatches: 3 });
    expect(anew.loss).toBeLessThan(own.loss);
    expect((await scoreWeights(saved, "test", builtIn, { bnBatches: 3 })).loss).toBe(anew.loss);
  });
});
