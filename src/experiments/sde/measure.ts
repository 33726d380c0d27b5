import { type EmpiricalLoss, streamedLoss } from "../../train/streamed.ts";
import type { TypedArray } from "../../runtime/session.ts";
import { extremeEigenpairs } from "../../spectrum/extremes.ts";
import type { SymmetricOperator } from "../../spectrum/operator.ts";
import { rayleighRitz } from "../../spectrum/rayleigh-ritz.ts";
import { length } from "../../spectrum/vectors.ts";
import { InputError } from "../../util/errors.ts";
import { type Rng, rng } from "../../util/rng.ts";
import type { SdeRunConfig } from "./config.ts";
import { compileTestScore, exampleSpec, lossOn } from "./graphs.ts";
import type { Examples, Problem } from "./problem.ts";
import type { Measurement } from "./records.ts";
import type { ProcessState } from "./state.ts";

export interface Meter {
  /** Everything that a line of metrics.jsonl says of a point. */
  measure(state: ProcessState, step: number): Promise<Measurement>;
  release(): Promise<void>;
}

/** Examples in one graph: memory is that of so many, whatever the number measured on. */
const ROWS = 250;

/** ‖Hv − λv‖/|λ| at which v is good enough: the Rayleigh quotient errs by about the square of it, over the gap. */
const RESIDUAL = 5e-4;
/** Products at most. */
const PRODUCTS = 80;

type Top = Pick<Measurement, "eigenvalue" | "residual">;

/**
 * λ₁, the largest signed eigenvalue, by Lanczos from a random direction; the residual is measured by a product of its own. A start from the
 * last eigenvector would be a good pair at once, also after another eigenvalue has overtaken. NaN where a product overflows.
 */
export async function topEigenvalue(operator: SymmetricOperator, random: Rng): Promise<Top> {
  try {
    const maxProducts = Math.min(PRODUCTS, operator.dim);
    const found = await extremeEigenpairs(operator, { top: 1, bottom: 0, tolerance: RESIDUAL, maxProducts, random });
    const { eigenvalue, residual } = (await rayleighRitz(operator, found)).top[0]!;
    return { eigenvalue, residual };
  } catch (error) {
    if (error instanceof InputError) return { eigenvalue: Number.NaN, residual: Number.NaN };
    throw error;
  }
}

/** Losses, norms and λ₁ of points, streamed over the examples. */
export async function createMeter(config: SdeRunConfig, problem: Problem): Promise<Meter> {
  const { seed } = config;
  const { train, test } = problem;
  const some = partOf(train, Math.min(config.measure.curvatureImages, train.count), problem);
  const [onTrain, onSome] = [empiricalLoss(config, problem, train), empiricalLoss(config, problem, some)];
  const batches = inBatches(test, problem);
  const scores = new Map<number, Awaited<ReturnType<typeof compileTestScore>>>();
  for (const { rows } of batches)
    if (!scores.has(rows)) scores.set(rows, await compileTestScore(config, problem, rows));
  return {
    measure: async ({ theta }, step) => {
      const { loss: trainLoss, gradNorm } = await onTrain.lossAndGradient(theta);
      const norm = length(theta);
      let [testLoss, testAccuracy] = [0, 0];
      for (const { arrays, rows } of batches) {
        const { loss, correct } = await scores.get(rows)!.run({ theta, ...arrays }, { reuse: true });
        testLoss += (loss![0]! * rows) / test.count;
        testAccuracy += correct![0]! / test.count;
      }
      const { eigenvalue, residual } = await topEigenvalue(onSome.hessian(theta), rng(seed, "sde", "λ₁", step));
      return { trainLoss, testLoss, testAccuracy, norm, gradNorm, eigenvalue, residual };
    },
    release: async () => {
      for (const each of [onTrain, onSome, ...scores.values()]) await each.release();
    },
  };
}

interface ExampleBatch {
  readonly arrays: Readonly<Record<"x" | "y", TypedArray>>;
  readonly rows: number;
}

const partOf = ({ x, y }: Examples, count: number, { pixels }: Problem, from = 0): Examples => ({
  x: x.subarray(from * pixels, (from + count) * pixels),
  y: y.subarray(from, from + count),
  count,
});

function inBatches(examples: Examples, problem: Problem): ExampleBatch[] {
  const { count } = examples;
  return Array.from({ length: Math.ceil(count / ROWS) }, (_, i) => {
    const rows = Math.min(ROWS, count - i * ROWS);
    const { x, y } = partOf(examples, rows, problem, i * ROWS);
    return { arrays: { x, y }, rows };
  });
}

const empiricalLoss = ({ dtype, threads }: SdeRunConfig, problem: Problem, examples: Examples): EmpiricalLoss =>
  streamedLoss({
    size: problem.size,
    dtype,
    device: "cpu",
    threads,
    batches: inBatches(examples, problem),
    spec: (rows) => exampleSpec(problem, rows, dtype),
    loss: (inputs) => lossOn(problem, inputs),
  });
