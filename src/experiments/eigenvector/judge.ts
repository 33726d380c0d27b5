import { z } from "zod";
import { empiricalLoss } from "../../train/empirical-loss.ts";
import { miniBatches } from "../../curvature/problem.ts";
import type { EmpiricalLoss } from "../../train/streamed.ts";
import { isSplit } from "../../data/dataset.ts";
import { subspaceAlignment } from "../../spectrum/alignment.ts";
import { extremeEigenpairs } from "../../spectrum/extremes.ts";
import { inner } from "../../spectrum/vectors.ts";
import type { Probe } from "../../train/probe.ts";
import type { Session } from "../../train/session.ts";
import { InputError } from "../../util/errors.ts";
import { rng } from "../../util/rng.ts";
import type { StudyRun } from "./plan.ts";

/** How good v is at the moment a step uses it, against H̄, the Hessian over many images. */
export const moment = z.object({
  step: z.int(),
  /** λ₁(H̄), and the residual ‖H̄q − λ₁q‖/λ₁ it was found with. */
  eigenvalue: z.number(),
  residual: z.number(),
  /** vᵀH̄v/λ₁(H̄); 1 is perfect. */
  ratio: z.number(),
  /** cos² of v with the span of the top three eigenvectors of H̄. */
  subspace: z.number(),
});

export type Moment = Readonly<z.output<typeof moment>>;

const SUBSPACE = 3;

/** The residuals that the eigenpairs v is compared with may have; eigenvalues are as good as its square. */
const TOLERANCE = 5e-2;
const MOST_PRODUCTS = 14;

/** The steps before which v is judged. */
export const judgedSteps = ({ moments }: Pick<StudyRun, "moments">, steps: number): number[] => [
  ...new Set(moments.map((part) => Math.floor(part * steps))),
];

/** Judges v at the moments of a plan, against the first images of the training set. */
export function judge(plan: Pick<StudyRun, "moments" | "images">): Probe {
  let loss: EmpiricalLoss | undefined;
  return {
    due: (step, total) => judgedSteps(plan, total).includes(step),
    look: async (session, step) => {
      loss ??= lossOver(session, plan.images);
      const { state, config } = session;
      const H = loss.hessian(state.theta);
      const { top } = await extremeEigenpairs(H, {
        top: SUBSPACE,
        bottom: 0,
        tolerance: TOLERANCE,
        maxProducts: MOST_PRODUCTS,
        random: rng(config.seed, "judge", step),
        ...(state.probe.start ? { start: state.probe.start } : {}),
      });
      const vectors = top.map(({ vector }) => vector);
      state.probe.start = Float32Array.from(vectors.reduce((sum, v) => sum.map((x, i) => x + v[i]!)));
      const { eigenvalue, residual } = top[0]!;
      return {
        eigenvalue,
        residual,
        ratio: inner(state.v, await H.apply(state.v)) / eigenvalue,
        subspace: subspaceAlignment(state.v, vectors),
      };
    },
    release: async () => {
      await loss?.release();
    },
  };
}

function lossOver({ task, state, train, config, batch }: Session, images: number): EmpiricalLoss {
  if (!isSplit(train)) throw new InputError("a study needs training examples in memory", { data: config.data.name });
  return empiricalLoss({
    task,
    buffers: state.buffers,
    batches: miniBatches(train, task.format, batch, Math.floor(images / batch)),
    bn: "batch",
    dtype: "f32",
    device: "cpu",
    threads: config.threads,
  });
}
