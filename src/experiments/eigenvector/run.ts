import { setImmediate as turn } from "node:timers/promises";
import { subspaceAlignment } from "../../spectrum/alignment.ts";
import { extremeEigenpairs } from "../../spectrum/extremes.ts";
import { inner, type Vector } from "../../spectrum/vectors.ts";
import { loadDataset } from "../../data/index.ts";
import { splitValidation } from "../../data/split.ts";
import { empiricalLoss } from "../../curvature/hessian.ts";
import { miniBatches } from "../../curvature/problem.ts";
import { evaluate } from "../../train/evaluate.ts";
import { compileEvaluation, optimizerOf } from "../../train/graphs.ts";
import { learningRate } from "../../train/loop.ts";
import { imageFormat, modelOf } from "../../train/problem.ts";
import { initialState } from "../../train/state.ts";
import { createTrainer } from "../../train/trainer.ts";
import { trainingBatches } from "../../train/training-batches.ts";
import { TrainingError } from "../../util/errors.ts";
import { rng } from "../../util/rng.ts";
import type { StudyRun } from "./plan.ts";

/** How good v is at the moment a step uses it, against H̄, the Hessian over many images. */
export interface Moment {
  readonly step: number;
  /** λ₁(H̄), and the residual ‖H̄q − λ₁q‖/λ₁ it was found with. */
  readonly eigenvalue: number;
  readonly residual: number;
  /** vᵀH̄v/λ₁(H̄); 1 is perfect. */
  readonly ratio: number;
  /** cos² of v with the span of the top three eigenvectors of H̄. */
  readonly subspace: number;
}

export interface StudyResult {
  /** What was run: results of another plan are none of this one. */
  readonly plan: StudyRun;
  readonly name: string;
  readonly network: string;
  readonly solver: string;
  readonly seed: number;
  readonly steps: number;
  readonly moments: readonly Moment[];
  readonly testAccuracy: number;
  readonly trainLoss: number;
  /** Estimates and their Hessian-vector products in the whole run. */
  readonly estimates: number;
  readonly products: number;
  /** Time in estimates over time in steps. */
  readonly overhead: number;
}

const SUBSPACE = 3;

/** Of the residuals of the eigenpairs that v is compared with; eigenvalues are as good as its square. */
const TOLERANCE = 5e-2;
const MOST_PRODUCTS = 14;

/** Trains one run and judges v on the way. */
export async function studyRun(plan: StudyRun, onStep: (done: number, of: number) => void): Promise<StudyResult> {
  const { name, network, solver, config, moments, images } = plan;
  const dataset = await loadDataset(config.data.name, config.data);
  const { train } = splitValidation(dataset.train, config.data.validation, config.seed);
  const format = imageFormat(dataset);
  const { batch } = config.data;
  const model = modelOf(config, format, batch);
  const state = initialState(model, optimizerOf(config), config.seed);
  const trainer = await createTrainer(config, model, format, state);
  const { epochs } = config.train;
  const batches = trainingBatches(config, dataset, train, { from: { epoch: 0, step: 0 }, epochs });
  const { stepsPerEpoch } = batches;
  const steps = epochs * stepsPerEpoch;
  const judged = new Set(moments.map((part) => Math.floor(part * steps)));
  const judge = empiricalLoss({
    modelFor: (rows) => modelOf(config, format, rows),
    format,
    buffers: state.buffers,
    batches: miniBatches(train, format, batch, Math.floor(images / batch)),
    bn: "batch",
    labelSmoothing: 0,
    dtype: "f32",
    device: "cpu",
    threads: config.threads,
  });

  const found: Moment[] = [];
  let [estimates, products, estimating, stepping, loss] = [0, 0, 0, 0, 0];
  let start: Vector | undefined;
  for (let step = 0; step < steps; step++) {
    const images = (await batches.next())!;
    const stepInEpoch = step % stepsPerEpoch;
    if (trainer.refreshDue({ step, stepInEpoch })) {
      const begun = performance.now();
      products += state.estimated ? trainer.products : config.method.iterations;
      estimates++;
      await trainer.refresh(images);
      estimating += performance.now() - begun;
    }
    if (judged.has(step)) {
      const H = judge.hessian(state.theta);
      const { top } = await extremeEigenpairs(H, {
        top: SUBSPACE,
        bottom: 0,
        tolerance: TOLERANCE,
        maxProducts: MOST_PRODUCTS,
        random: rng(config.seed, "judge", step),
        ...(start ? { start } : {}),
      });
      start = top.map(({ vector }) => vector).reduce((sum, v) => sum.map((x, i) => x + v[i]!) as Vector);
      const { eigenvalue, residual } = top[0]!;
      found.push({
        step,
        eigenvalue,
        residual,
        ratio: inner(state.v, await H.product(state.v)) / eigenvalue,
        subspace: subspaceAlignment(
          state.v,
          top.map(({ vector }) => vector),
        ),
      });
    }
    const begun = performance.now();
    const metrics = await trainer.step(images, learningRate(config, step, stepsPerEpoch));
    stepping += performance.now() - begun;
    if (!Number.isFinite(metrics.loss))
      throw new TrainingError(`${name}: the loss is ${metrics.loss} at step ${step}`, { name, step });
    if (step >= steps - stepsPerEpoch) loss += metrics.loss / stepsPerEpoch;
    onStep(step + 1, steps);
    // A run of a graph blocks this thread; signals come in here.
    await turn();
  }
  const evaluation = await compileEvaluation(config, model, format);
  const test = await evaluate(evaluation, state, dataset.test, model.inputShape);
  await Promise.all([evaluation.release(), judge.release(), trainer.release(), batches.close()]);
  return {
    plan,
    name,
    network,
    solver,
    seed: config.seed,
    steps,
    moments: found,
    testAccuracy: test.accuracy,
    trainLoss: loss,
    estimates,
    products,
    overhead: estimating / stepping,
  };
}
