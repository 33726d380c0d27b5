import { band, binned } from "../statistics.ts";
import { bandNote, type Figure, lines } from "./figure.ts";

export const topEigenvalue: Figure = {
  name: "top-eigenvalue",
  title: "Top Hessian eigenvalue λ₁",
  needs: "estimates of the eigenvector (Eigen-SAM, or train.diagnosticsEvery)",
  draw: (groups) => {
    const series = groups
      .map(({ label, runs }) => ({
        label,
        points: band(
          runs.map(({ refreshes }) => refreshes.map(({ step, eigenvalue }) => ({ x: step, y: eigenvalue }))),
        ),
      }))
      .filter(({ points }) => points.length > 0);
    if (series.length === 0) return null;
    // Early estimates can follow a large negative eigenvalue; a logarithm would hide that they are there.
    const log = series.every(({ points }) => points.every(({ mean, ci95 }) => mean - (ci95 ?? 0) > 0));
    const spec = lines(groups, series, { title: "Top Hessian eigenvalue", x: "step", y: "λ₁", log, points: true });
    return {
      spec,
      caption: `Rayleigh quotient of the power iteration on the mini-batch at hand${log ? "; logarithmic scale" : ""}. It follows the largest |λ|, which early in training can be negative. ${bandNote(groups)}`,
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
    const options = { title: "Alignment with the top eigenvector", x: "step", y: "|cos(ε, v₁)|", zero: true };
    return {
      spec: lines(groups, series, options),
      caption: `|cos| between the perturbation ε of each step and the latest estimate of the top eigenvector, averaged over ${width === 1 ? "each step" : `${width} steps`}; 1 is parallel. SGD does not perturb. ${bandNote(groups)}`,
    };
  },
};
