import { readFileSync } from "node:fs";
import { type Network, linear, relu, reshape } from "../../src/index.ts";
import { train } from "../../src/node.ts";

/** Trains and scores a small network on as many classes as its argument says; prints the peak of this process's memory in MiB. */
const classes = Number(process.argv[2]);
const count = classes;
const model: Network = (scope, x) =>
  linear(scope.at("out"), relu(linear(scope.at("in"), reshape(x, [x.shape[0] ?? 0, -1]), 8)), classes);
const x = { data: Float32Array.from({ length: 4 * count }, (_, i) => Math.sin(i)), shape: [count, 4] };
const y = { data: Int32Array.from({ length: count }, (_, i) => i), shape: [count] };
const few = { x: { data: x.data.slice(0, 256), shape: [64, 4] }, y: { data: y.data.slice(0, 64), shape: [64] } };
const trained = await train({
  ...{ model, epochs: 1, batch: 64, threads: 1, method: { name: "eigen-sam" } },
  data: { train: { x: { data: x.data, shape: x.shape }, y }, test: few },
}).done;
const { accuracy } = await trained.evaluate(few);
const { eigenvalues } = await trained.curvature({ examples: few, top: 1 });
await trained.release();
// What getrusage says begins with the memory of the process that started this one.
const [, peak] = /^VmHWM:\s+(\d+)/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
console.log(JSON.stringify({ accuracy, eigenvalue: eigenvalues[0], peak: Number(peak) / 1024 }));
