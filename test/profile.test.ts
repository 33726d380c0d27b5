import { describe, expect, it } from "vitest";
import { limitMs } from "../src/cli/bench/limits.ts";
import { summaryOf } from "../src/cli/bench/profile-table.ts";
import { relu } from "../src/graph/ops/elementwise.ts";
import { matmul } from "../src/graph/ops/matmul.ts";
import { compile } from "../src/runtime/compile.ts";
import { workOf } from "../src/runtime/node-work.ts";
import type { NodeTime } from "../src/runtime/session.ts";

const shapes = (...all: readonly (readonly number[])[]) => all.map((float) => ({ float }));
const node = (op: string, inputs: readonly (readonly number[])[], output: readonly number[], read: number) => ({
  op_name: op,
  input_type_shape: shapes(...inputs),
  output_type_shape: shapes(output),
  activation_size: String(read),
  parameter_size: "8",
  output_size: String(4 * output.reduce((a, b) => a * b, 1)),
});

describe("the work of a node", () => {
  it.each([
    ["a product", "MatMul", "5×7 7×3 5×3", 2 * 5 * 7 * 3],
    ["a batch of products", "MatMul", "2×5×7 2×7×3 2×5×3", 2 * 2 * 5 * 7 * 3],
    ["a product of a transposed factor", "FusedMatMul", "7×5 7×3 5×3", 2 * 5 * 7 * 3],
    ["a convolution", "Conv", "2×4×6×6 8×4×3×3 2×8×4×4", 2 * 2 * 8 * 16 * 4 * 9],
    ["one in groups", "Conv", "2×4×6×6 8×1×3×3 2×8×4×4", 2 * 2 * 8 * 16 * 9],
    ["a sum", "Add", "5 5 5", 0],
  ])("has the operations of %s", (_, op, shapes, flop) => {
    const [first, second, output] = shapes.split(" ").map((shape) => shape.split("×").map(Number));
    expect(workOf(node(op, [first!, second!], output!, 0)).flop).toBe(flop);
  });

  it("has the bytes of its inputs, weights and outputs, but for views and tables", () => {
    expect(workOf(node("Add", [[5], [5]], [5], 40)).bytes).toBe(40 + 8 + 20);
    expect(workOf(node("Reshape", [[5]], [5], 20)).bytes).toBe(0);
    expect(workOf(node("Gather", [[1000], [5]], [5], 4020)).bytes).toBe(2 * 20);
  });

  it("is read from the trace of a graph that ran", async () => {
    const executable = await compile(
      ({ a, b }) => ({ y: relu(matmul(a, b, { transA: true })) }),
      { a: { shape: [7, 5] }, b: { shape: [7, 3] } },
      { threads: 1, profile: true },
    );
    const feeds = { a: new Float32Array(35).fill(1), b: new Float32Array(21).fill(1) };
    for (let i = 0; i < 2; i++) await executable.run(feeds);
    const nodes = executable.profile();
    await executable.release();
    const product = nodes.find(({ flop }) => flop > 0);
    expect(product).toMatchObject({ runs: 2, flop: 2 * 5 * 7 * 3, bytes: 4 * (35 + 21 + 15) });
    expect(nodes.find(({ op }) => op === "Relu")).toMatchObject({ flop: 0, bytes: 2 * 4 * 15 });
  });
});

describe("the least time of a node", () => {
  const limits = { bytesPerSecond: 1e9, flopPerSecond: 1e12 };
  const timed = (name: string, medianMs: number, bytes: number, flop: number): NodeTime => ({
    ...{ op: name.replace(/_\d+$/, ""), node: name, runs: 1, totalMs: medianMs },
    ...{ medianMs, bytes, flop },
  });

  it("is that of its bytes or of its operations, whichever is longer", () => {
    expect(limitMs({ bytes: 2e6, flop: 1e9 }, limits)).toBeCloseTo(2, 12);
    expect(limitMs({ bytes: 2e5, flop: 1e9 }, limits)).toBeCloseTo(1, 12);
  });

  it("is summed by operator, slowest first", () => {
    const nodes = [timed("Add_1", 3, 1e6, 0), timed("MatMul_2", 8, 1e6, 4e9), timed("Add_3", 2, 1e6, 0)];
    const { ops, slowest } = summaryOf({ nodes, limits });
    expect(ops).toEqual([
      { op: "MatMul", nodes: 1, ms: 8, limitMs: 4 },
      { op: "Add", nodes: 2, ms: 5, limitMs: 2 },
    ]);
    expect(slowest.map(({ node }) => node)).toEqual(["MatMul_2", "Add_1", "Add_3"]);
  });
});
