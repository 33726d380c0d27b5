import { band, binned, logBand } from "../statistics.ts";
import { bandNote, type Figure, lines } from "./figure.ts";

export const topEigenvalue: Figure = {
  name: "top-eigenvalue",
  title: "Top Hessian eigenvalue λ₁",
  needs: "estimates of the eigenvector (Eigen-SAM, or train.diagnosticsEvery)",
  draw: (groups) => {
    // The power iteration follows the largest |λ|; where that is negative it says nothing about λ₁.
    const all = groups.flatMap(({ runs }) => runs.flatMap(({ refreshes }) => refreshes));
    const negative = all.filter(({ eigenvalue }) => eigenvalue <= 0);
    const series = groups
      .map(({ label, runs }) => ({
        label,
        points: logBand(
          runs.map(({ refreshes }) =>
            refreshes.flatMap(({ step, eigenvalue }) => (eigenvalue > 0 ? [{ x: step, y: eigenvalue }] : [])),
          ),
        ),
      }))
      .filter(({ points }) => points.length > 0);
    if (series.length === 0) return null;
    const spec = lines(groups, series, {
      title: "Top Hessian eigenvalue",
      x: "step",
      y: "λ₁",
      log: true,
      points: true,
    });
    const last = Math.max(...negative.map(({ step }) => step));
    const left =
      negative.length === 0
        ? ""
        : ` Left out: ${negative.length} of ${all.length} estimates, up to step ${last}, which followed a negative eigenvalue of larger size.`;
    return {
      spec,
      caption: `Rayleigh quotient of the power iteration on the mini-batch at hand; logarithmic scale.${left} ${bandNote(groups, true)}`,
    };
  },
};

/** Bins of a curve over steps. */
const BINS = 40;

export const alignment: Figure = {
  name: "alignment",
  title: "Alignment of the perturbation with the top eigenvector",
  needs: "a method that perturbs, with estimates of the eigenvector",
  draw: (groups) => {
    const last = Math.max(0, ...groups.flatMap(({ runs }) => runs.map(({ steps }) => steps.at(-1)?.step ?? 0)));
    const width = Math.max(1, Math.ceil((last + 1) / BINS));
    const series = groups
      .map(({ label, runs }) => ({
        label,
        points: band(
          runs.map(({ steps }) =>
            binned(
              steps.flatMap(({ step, cosEpsV }) => (cosEpsV === undefined ? [] : [{ x: step, y: cosEpsV }])),
              width,
            ),
          ),
        ),
      }))
      .filter(({ points }) => points.length > 0);
    if (series.length === 0) return null;
    const options = {
      title: "Alignment with the top eigenvector",
      x: "step",
      y: "|cos(ε, v₁)|",
      zero: true,
      within: [0, 1],
    } as const;
    return {
      spec: lines(groups, series, options),
      caption: `|cos| between the perturbation ε of each step and the latest estimate of the top eigenvector, averaged over ${width === 1 ? "each step" : `${width} steps`}; 1 is parallel. SGD does not perturb. ${bandNote(groups)}`,
    };
  },
};
