import { binned } from "../curves.ts";
import type { Group } from "../groups.ts";
import type { StepLine } from "../../train/records.ts";
import type { Figure } from "./figure.ts";
import { lines } from "./lines.ts";

export const topEigenvalue: Figure = {
  name: "top-eigenvalue",
  title: "Top Hessian eigenvalue",
  needs: "positive estimates of the top eigenvalue (Eigen-SAM, or train.diagnosticsEvery)",
  draw: (groups) => {
    // The power iteration follows the largest |λ|; a negative one is not λ₁.
    const all = groups.flatMap(({ runs }) => runs.flatMap(({ refreshes }) => refreshes));
    const negative = all.filter(({ eigenvalue }) => eigenvalue <= 0);
    const latest = Math.max(...negative.map(({ step }) => step));
    const note =
      negative.length === 0
        ? ""
        : ` (without ${negative.length} of ${all.length} estimates, the last at step ${latest}, that found a larger negative eigenvalue)`;
    return lines(
      groups,
      ({ refreshes }) =>
        refreshes.flatMap(({ step, eigenvalue }) => (eigenvalue > 0 ? [{ x: step, y: eigenvalue }] : [])),
      {
        title: "Top Hessian eigenvalue",
        y: "λ₁ of the mini-batch loss",
        x: "step",
        zero: true,
        shows: `Sharpness during training: the Rayleigh quotient of the power iteration, whenever it was run${note}`,
      },
    );
  },
};

/** Bins of a curve over steps. */
const BINS = 20;

/** A cosine of every step, averaged in bins over the steps of the longest run. */
const cosine = (
  figure: Pick<Figure, "name" | "title" | "needs">,
  y: string,
  value: (line: StepLine) => number | undefined,
  shows: string,
): Figure => ({
  ...figure,
  draw: (groups) => {
    const total = stepsOf(groups);
    const bin = Math.max(1, Math.round(total / BINS));
    const smoothing = bin === 1 ? "each step" : `averaged over bins of about ${bin} steps`;
    return lines(
      groups,
      ({ steps }) => {
        const points = steps.flatMap((line) => {
          const cos = value(line);
          return cos === undefined || Number.isNaN(cos) ? [] : [{ x: line.step, y: cos }];
        });
        return binned(points, total, BINS);
      },
      {
        title: figure.title,
        y,
        x: "step",
        linear: true,
        zero: true,
        within: [0, 1],
        shows: `${shows}, ${smoothing}; 1 is parallel`,
      },
    );
  },
});

const stepsOf = (groups: readonly Group[]): number =>
  1 + Math.max(0, ...groups.flatMap(({ runs }) => runs.map(({ steps }) => steps.at(-1)?.step ?? 0)));

export const alignment = cosine(
  {
    name: "alignment",
    title: "Alignment of the perturbation",
    needs: "a method that perturbs, with estimates of the top eigenvector",
  },
  "|cos(ε, v₁)|",
  ({ cosEpsV }) => cosEpsV,
  "How well each method's perturbation ε points along the latest estimate of the top eigenvector v₁",
);

export const gradientAlignment = cosine(
  {
    name: "gradient-alignment",
    title: "Alignment of the gradient",
    needs: "estimates of the top eigenvector (Eigen-SAM, or train.diagnosticsEvery)",
  },
  "|cos(∇f, v₁)|",
  ({ cosGradV }) => cosGradV,
  "How well the mini-batch gradient, SAM's own direction, points along the latest estimate of the top eigenvector v₁",
);
