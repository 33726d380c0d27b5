/**
 * `npm run soak -- [--minutes N]`: trains, evaluates, compiles and releases in one process through the library. After a warm-up of a tenth of the
 * time (20 s at least), the floor of its memory may not rise by more than 5 %, and open files and threads may not change.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import {
  compile,
  compileStep,
  grad,
  linear,
  loadDataset,
  loadRun,
  matmul,
  mean,
  mul,
  type Network,
  relu,
  rng,
  sub,
  tanh,
  train,
} from "eigensam/node";
import { floorGrowth } from "./memory-floor.ts";

const { values } = parseArgs({ options: { minutes: { type: "string" } } });
const minutes = Number(values.minutes ?? 120);
if (globalThis.gc === undefined) throw new Error("start it as npm run soak, which lets it collect garbage");

const folder = mkdtempSync(join(tmpdir(), "eigensam-soak-"));
const network: Network = (scope, x) => linear(scope.at("out"), relu(linear(scope.at("hidden"), x, 16)), 1);
const images = (await loadDataset("fashion-mini")).test;
const test = { x: { data: images.x, shape: [images.count, 1, 28, 28] }, y: { data: images.y, shape: [images.count] } };
const methods = ["sgd", "sam", "eigen-sam", "egr"] as const;

/** Everything a long-lived process may do, once. */
async function round(index: number): Promise<void> {
  const dir = join(folder, "run");
  const settings = {
    ...({ data: "fashion-mini", model: { name: "mlp", width: 8 } } as const),
    ...{ batch: 512, epochs: 1, threads: 1, dir },
    method: { name: methods[index % methods.length]! },
    optimizer: { lr: 0.02 },
    seed: index,
  } as const;
  {
    await using trained = await train(settings).done;
    await trained.evaluate(test);
    if (index % 4 === 0) await trained.curvature({ top: 1 });
  }
  {
    await using loaded = await loadRun(dir);
    await loaded.evaluate(test);
  }
  rmSync(dir, { recursive: true });

  const random = rng(index, "soak");
  const draw = (length: number) => Float32Array.from({ length }, () => random.normal());
  {
    await using step = await compileStep({
      network,
      inputs: { x: [32, 8], y: [32, 1] },
      loss: "mse",
      method: { name: "sam", rho: 0.05 },
      optimizer: { name: "adamw" },
      threads: 1,
    });
    let state = step.init({ seed: index });
    for (let t = 0; t < 20; t++) state = (await step.run(state, { x: draw(256), y: draw(32) }, { lr: 0.01 })).state;
  }
  const f = await compile(
    ({ theta, x, y }) => {
      const error = sub(tanh(matmul(x, theta)), y);
      const loss = mean(mul(error, error));
      return { loss, gradient: grad(loss, theta) };
    },
    { theta: { shape: [4, 1] }, x: { shape: [8, 4] }, y: { shape: [8, 1] } },
    { threads: 1 },
  );
  await f.run({ theta: draw(4), x: draw(32), y: draw(8) });
  await f.release();
}

interface Reading {
  readonly memory: number;
  readonly files: number;
  readonly threads: number;
}

const entries = (path: string): number => readdirSync(path).length;

async function reading(): Promise<Reading> {
  // Workers end and finalizers run a moment after they were asked to.
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.();
    await sleep(50);
  }
  const resident = /^VmRSS:\s+(\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  return { memory: Number(resident) / 1024, files: entries("/proc/self/fd"), threads: entries("/proc/self/task") };
}

const begun = performance.now();
const seconds = () => (performance.now() - begun) / 1000;
const warm = Math.max(20, 6 * minutes);
const readings: Reading[] = [];
let rounds = 0;
let shown = 0;
while (seconds() < 60 * minutes) {
  await round(rounds++);
  if (seconds() < warm) continue;
  const now = await reading();
  readings.push(now);
  if (seconds() - shown < Math.min(300, 6 * minutes)) continue;
  shown = seconds();
  const { memory, files, threads } = now;
  console.log(`${shown.toFixed(0)} s  round ${rounds}  ${memory.toFixed(1)} MiB  ${files} files  ${threads} threads`);
}
rmSync(folder, { recursive: true });

const median = (part: readonly Reading[], key: keyof Reading): number =>
  part.map((each) => each[key]).sort((a, b) => a - b)[part.length >> 1] ?? Number.NaN;
const part = Math.ceil(readings.length / 5);
const [first, last] = [readings.slice(0, part), readings.slice(-part)];
const growth = floorGrowth(readings.map((each) => each.memory));
const range = (key: "files" | "threads") =>
  [...new Set(readings.map((each) => each[key]))].sort((a, b) => a - b).join("…");
console.log(
  `${rounds} rounds in ${(seconds() / 60).toFixed(1)} minutes: median memory ${median(first, "memory").toFixed(1)} → ${median(last, "memory").toFixed(1)} MiB, ` +
    `floor ${(100 * growth).toFixed(1)} %, files ${range("files")}, threads ${range("threads")}`,
);
const constant = (key: "files" | "threads") => median(first, key) === median(last, key);
if (!(growth < 0.05) || !constant("files") || !constant("threads")) process.exitCode = 1;
