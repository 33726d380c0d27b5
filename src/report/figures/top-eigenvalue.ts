import type { Curve } from "../curves.ts";
import type { Group } from "../groups.ts";
import type { Run } from "../read-run.ts";
import type { Figure } from "./figure.ts";
import { anyPoint, lines } from "./lines.ts";

/** An estimate of λ₁; runs of earlier versions do not say how it was made. */
type Estimate = Run["refreshes"][number];

/** How estimates were made, and why one may not be positive. */
const estimators = {
  power: { way: "by power iteration", fault: "power iteration followed a negative eigenvalue" },
  lanczos: { way: "by Lanczos", fault: "Lanczos found no positive eigenvalue" },
} as const;
const unknown = { way: "as recorded by the run's solver", fault: "they are not positive" } as const;

const infoOf = ({ estimator }: Estimate) => (estimator === undefined ? unknown : estimators[estimator]);

const distinct = (texts: readonly string[]): string[] => [...new Set(texts)];

const estimatesOf = ({ runs }: Group): Estimate[] => runs.flatMap(({ refreshes }) => refreshes);

const positive = ({ refreshes }: Run): Curve =>
  refreshes.flatMap(({ step, eigenvalue }) => (eigenvalue > 0 ? [{ x: step, y: eigenvalue }] : []));

export const topEigenvalue: Figure = {
  name: "top-eigenvalue",
  title: "Top Hessian eigenvalue",
  lacks: (groups) =>
    anyPoint(groups, positive)
      ? "λ₁ was estimated at one step alone; train.diagnosticsEvery measures it during training"
      : "no run has positive estimates of the top eigenvalue (Eigen-SAM, or train.diagnosticsEvery)",
  draw: (groups) =>
    lines(groups, positive, {
      title: "Top Hessian eigenvalue",
      y: "λ₁ of the mini-batch loss",
      x: "step",
      zero: true,
      shows: `Sharpness during training: λ₁ ${waysOf(groups)}${withoutNote(groups.flatMap(estimatesOf))}`,
    }),
};

/** The solver that made the estimates; where groups differ, which group by which. */
function waysOf(groups: readonly Group[]): string {
  const own = groups.flatMap((group) => {
    const ways = distinct(estimatesOf(group).map((estimate) => infoOf(estimate).way)).sort();
    return ways.length === 0 ? [] : [{ label: group.label, way: ways.join(" and ") }];
  });
  const ways = distinct(own.map(({ way }) => way));
  if (ways.length === 1) return ways[0]!;
  const labels = (way: string) => own.filter((group) => group.way === way).map(({ label }) => label);
  return ways.map((way) => `${way} (${labels(way).join(", ")})`).join(", ");
}

/** The estimates that are left out: one that is not positive has not found λ₁. */
function withoutNote(all: readonly Estimate[]): string {
  const left = all.filter(({ eigenvalue }) => eigenvalue <= 0);
  if (left.length === 0) return "";
  const latest = Math.max(...left.map(({ step }) => step));
  const faults = distinct(left.map((estimate) => infoOf(estimate).fault)).join(", or ");
  return ` (without ${left.length} of ${all.length} estimates, the last at step ${latest}: ${faults})`;
}
