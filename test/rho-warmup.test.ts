import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { NamedMethod } from "../src/api/options.ts";
import { compileStep } from "../src/api/step.ts";
import { train } from "../src/api/train.ts";
import { linear } from "../src/nn/layers.ts";
import { defineMetric } from "../src/optim/metrics/metric.ts";
import { norm } from "../src/optim/vector.ts";
import { runFiles } from "../src/run/files.ts";
import { resolveConfig, trainSettings } from "../src/train/settings.ts";
import { builtIn } from "../src/train/registry.ts";
import { jsonLines } from "./support/cli.ts";
import { F32 } from "./tolerances.ts";

/** ‖ε‖, which is ρ for SAM. */
const epsilonNorm = defineMetric({
  name: "epsilonNorm",
  title: "Radius",
  symbol: "‖ε‖",
  about: "length of the perturbation",
  of: ({ epsilon }) => epsilon && norm(epsilon),
});

const data = { train: { x: [[0], [1], [2], [3], [4], [5], [6], [7]], y: [[1], [3], [5], [7], [9], [11], [13], [15]] } };

/** Three epochs of four steps. */
const options = (method: NamedMethod) =>
  ({
    data,
    method,
    model: { name: "mlp", width: 4, depth: 1 },
    metrics: [epsilonNorm],
    optimizer: { lr: 0.01 },
    batch: 2,
    epochs: 3,
    threads: 1,
  }) as const;

async function radii(method: NamedMethod): Promise<number[]> {
  const found: number[] = [];
  const run = train(options(method));
  for await (const event of run) if (event.event === "step") found.push(event.metrics.epsilonNorm!);
  await (await run.done).release();
  return found;
}

it.each([
  ["one and a half epochs", 1.5, [0, 1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6, 1, 1, 1, 1, 1, 1]],
  ["more epochs than there are", 6, Array.from({ length: 12 }, (_, step) => step / 24)],
  ["none", 0, new Array<number>(12).fill(1)],
])("ρ grows from 0 over %s, step by step", async (_, rhoWarmup, parts) => {
  const found = await radii({ name: "sam", rho: 0.2, rhoWarmup });
  expect(found).toHaveLength(12);
  found.forEach((radius, step) => {
    expect(Math.abs(radius - 0.2 * parts[step]!), `step ${step}`).toBeLessThan(F32);
  });
});

it("a run stopped while ρ grows goes on to the same bytes", async () => {
  const folder = mkdtempSync(join(tmpdir(), "eigensam-rho-"));
  const method = { name: "eigen-sam", rho: 0.2, rhoWarmup: 2 } as const;
  const [whole, stopped] = ["whole", "stopped"].map((name) => join(folder, name));
  await (await train({ ...options(method), dir: whole! }).done).release();
  const run = train({ ...options(method), dir: stopped! });
  for await (const event of run) if (event.event === "step" && event.step === 4) run.stop();
  await (await run.done).release();
  expect(jsonLines(readFileSync(runFiles(stopped!).metrics, "utf8")).at(-1)).toMatchObject({ kind: "step", step: 4 });
  await (await train({ ...options(method), dir: stopped! }).done).release();
  for (const file of ["metrics", "weights"] as const)
    expect(readFileSync(runFiles(stopped!)[file]).equals(readFileSync(runFiles(whole!)[file])), file).toBe(true);
});

it("a method without ρ leaves it out with a note, and code refuses it", async () => {
  const given = ["method.name=sgd", "method.rhoWarmup=1"];
  expect(resolveConfig("", given)).toEqual(resolveConfig("", ["method.name=sgd"]));
  expect(trainSettings(builtIn).unread("", given)).toEqual(["method.rhoWarmup"]);
  expect(trainSettings(builtIn).unread("", ["method.name=sam", "method.rhoWarmup=1"])).toEqual([]);
  await expect(train(options({ name: "sgd", rhoWarmup: 1 })).done).rejects.toThrow(
    "train: sgd does not read method.rhoWarmup",
  );
});

it("a step of one's own is given its radius instead", async () => {
  const network = (scope: Parameters<typeof linear>[0], x: Parameters<typeof linear>[1]) => linear(scope, x, 1);
  const inputs = { x: [2, 1], y: [2, 1] };
  await expect(compileStep({ network, inputs, method: { name: "sam", rhoWarmup: 1 } })).rejects.toThrow(
    "a step alone knows no epochs\n  hint: give each step its radius",
  );
});
