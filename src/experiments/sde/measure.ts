import type { Executable } from "../../runtime/compile.ts";
import type { TypedArray } from "../../runtime/session.ts";
import type { SdeRunConfig } from "./config.ts";
import { compilePower, compileTestScore, compileTrainScore } from "./graphs.ts";
import type { Problem } from "./problem.ts";
import type { Measurement } from "./records.ts";
import type { ProcessState } from "./state.ts";

export interface Meter {
  measure(state: ProcessState): Promise<Measurement>;
  release(): Promise<void>;
}

/** Power-iteration steps per call, and calls at most. */
const ITERATIONS = 5;
const CALLS = 100;
/** ‖Hv − λv‖/|λ| at which v is good enough: the Rayleigh quotient errs by the square of it. */
const RESIDUAL = 0.03;
/** Calls after which eigenvalues of about the same size and both signs are suspected. */
const PATIENCE = 8;
/** A little beyond the largest |λ|, whose estimate is short of it. */
const SHIFT = 1.1;

/**
 * λ₁ and its residual by calls of a power iteration (compilePower), on from v, which is left at the last vector. It follows
 * the largest |λ|; where that is negative, or two signs keep it from settling, H is shifted until λ₁ is the largest.
 */
export async function topEigenvalue(
  power: Pick<Executable, "run">,
  inputs: Readonly<Record<"theta" | "v" | "x" | "y", TypedArray>>,
) {
  const shift = inputs.theta.slice(0, 1).fill(0);
  let [eigenvalue, residual] = [Number.NaN, Number.POSITIVE_INFINITY];
  for (let call = 1; call <= CALLS; call++) {
    const estimate = await power.run({ ...inputs, shift }, { reuse: true });
    inputs.v.set(estimate.nextV!);
    eigenvalue = estimate.eigenvalue![0]!;
    const error = estimate.error![0]!;
    residual = error / Math.abs(eigenvalue);
    const beyond = SHIFT * Math.hypot(eigenvalue, error);
    const settled = residual <= RESIDUAL;
    if (settled && (eigenvalue >= 0 || beyond <= shift[0]!)) break;
    if (settled || call > PATIENCE) shift[0] = Math.max(shift[0]!, beyond);
  }
  return { eigenvalue, residual };
}

export async function createMeter(config: SdeRunConfig, problem: Problem): Promise<Meter> {
  const { train, test, pixels } = problem;
  const images = Math.min(config.measure.curvatureImages, train.count);
  const [onTrain, onTest, power] = [
    await compileTrainScore(config, problem),
    await compileTestScore(config, problem),
    await compilePower(config, problem, { images, iterations: ITERATIONS }),
  ];
  const some = { x: train.x.subarray(0, images * pixels), y: train.y.subarray(0, images) };
  return {
    measure: async ({ theta, top }) => {
      const trained = await onTrain.run({ theta, x: train.x, y: train.y });
      const [trainLoss, gradNorm, norm] = [trained.loss![0]!, trained.gradNorm![0]!, trained.norm![0]!];
      const tested = await onTest.run({ theta, x: test.x, y: test.y });
      const { eigenvalue, residual } = await topEigenvalue(power, { theta, v: top, ...some });
      const [testLoss, testAccuracy] = [tested.loss![0]!, tested.accuracy![0]!];
      return { trainLoss, testLoss, testAccuracy, norm, gradNorm, eigenvalue, residual };
    },
    release: async () => {
      for (const executable of [onTrain, onTest, power]) await executable.release();
    },
  };
}
