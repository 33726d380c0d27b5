import { grad } from "../../graph/grad.ts";
import { mul } from "../../graph/ops/elementwise.ts";
import { matmul } from "../../graph/ops/matmul.ts";
import { sum } from "../../graph/ops/reduce.ts";
import { compile } from "../../runtime/compile.ts";
import { rng } from "../../util/rng.ts";

export interface SelfTest {
  readonly pass: boolean;
  /** Largest error of the gradient of Σx³ against 3x², relative. */
  readonly gradientError: number;
  readonly gflops: number;
}

/** A rounding of f32 is 6e-8, and 3x² takes a few. */
const TOLERANCE = 1e-6;
const SIZE = 1024;
const BUDGET_S = 0.5;

export async function selfTest(): Promise<SelfTest> {
  const gradientError = await gradientOfCubes();
  return { pass: gradientError < TOLERANCE, gradientError, gflops: await matmulSpeed() };
}

async function gradientOfCubes(): Promise<number> {
  const x = Float32Array.from({ length: 64 }, (_, i) => (i + 1) / 16);
  const cubes = await compile(({ x }) => ({ g: grad(sum(mul(x, mul(x, x))), x) }), { x: { shape: [x.length] } });
  const { g } = await cubes.run({ x });
  await cubes.release();
  return x.reduce((worst, x, i) => Math.max(worst, Math.abs(g[i]! / (3 * x * x) - 1)), 0);
}

/** The best of a few products of two 1024×1024 matrices, in 10⁹ operations per second. */
async function matmulSpeed(): Promise<number> {
  const random = rng(0, "self-test");
  const matrix = Float32Array.from({ length: SIZE * SIZE }, () => random.normal());
  const shape = [SIZE, SIZE];
  const product = await compile(({ a, b }) => ({ c: matmul(a, b) }), { a: { shape }, b: { shape } });
  const end = performance.now() + 1000 * BUDGET_S;
  let best = Number.POSITIVE_INFINITY;
  do {
    const start = performance.now();
    await product.run({ a: matrix, b: matrix }, { reuse: true });
    best = Math.min(best, performance.now() - start);
  } while (performance.now() < end);
  await product.release();
  return (2 * SIZE ** 3) / (best * 1e6);
}
