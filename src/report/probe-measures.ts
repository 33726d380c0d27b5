import type { ProbeLine } from "../train/records.ts";
import type { Group } from "./groups.ts";
import type { Run } from "./read-run.ts";

/** A number of the probe's looks, as figures and tables show it. */
export interface ProbeMeasure {
  /** Name of the files of its figure, and of its columns in CSV. */
  readonly id: string;
  readonly title: string;
  readonly symbol: string;
  /** The first half of the caption. */
  readonly shows: string;
  /** What a run lacks that has no such numbers. */
  readonly needs: string;
  value(look: ProbeLine): number | undefined;
  readonly within?: readonly [number, number];
  /** Never on a logarithmic axis, and with two decimals. */
  readonly linear?: boolean;
  /** Whether the table of results shows it: its mean over the looks, or its value at the end. */
  readonly table?: "mean" | "end";
}

const PROBED = "a probe (probe.every)";

/** The probe's numbers; a new one is one entry, and its field in train/records.ts. */
export const probeMeasures: readonly ProbeMeasure[] = [
  {
    id: "top-eigenvalue",
    title: "Top Hessian eigenvalue",
    symbol: "λ₁",
    shows: "Sharpness during training: λ₁",
    needs: PROBED,
    value: ({ eigenvalue }) => eigenvalue,
    table: "end",
  },
  {
    id: "alignment",
    title: "Alignment of the perturbation",
    symbol: "|cos(ε, v₁)|",
    shows: "How closely each method's perturbation ε aligns with the top eigenvector v₁ (1 is parallel)",
    needs: `a method that perturbs, with ${PROBED}`,
    value: ({ cosEps }) => cosEps,
    within: [0, 1],
    table: "mean",
  },
  {
    id: "gradient-alignment",
    title: "Alignment of the gradient",
    symbol: "|cos(∇f, v₁)|",
    shows:
      "How closely the mini-batch gradient, SAM's own direction, aligns with the top eigenvector v₁ (1 is parallel)",
    needs: PROBED,
    value: ({ cosGrad }) => cosGrad,
    within: [0, 1],
  },
  {
    id: "solver-quality",
    title: "Quality of the solver's v̂",
    symbol: "v̂ᵀH̄v̂ / λ₁",
    shows:
      "What the solver's v̂ is worth when a step uses it: 1 is the top eigenvector, 0 a direction without curvature",
    needs: `an eigenvector of its own (Eigen-SAM), with ${PROBED}`,
    value: ({ ratio }) => ratio,
    linear: true,
    table: "mean",
  },
];

/** The value of a measure at every look that has it. */
export const probeCurve = ({ probes }: Run, { value }: ProbeMeasure) =>
  probes.flatMap((look) => {
    const y = value(look);
    return y !== undefined && Number.isFinite(y) ? [{ x: look.step, y }] : [];
  });

/** How the numbers were found: operator, images and the worst residual. */
export function probedHow(groups: readonly Group[]): string {
  const looks = groups.flatMap(({ runs }) => runs.flatMap(({ probes }) => probes));
  const range = (values: readonly number[]) => [...new Set(values)].sort((a, b) => a - b).join(" or ");
  const images = range(looks.map((look) => look.images));
  const batches = range(looks.map((look) => look.batches));
  const worst = Math.max(...looks.map(({ residual }) => residual));
  return `by Lanczos on the mean Hessian of ${batches} fixed mini-batches (of ${images} training images in all), none of which a step or a solver took, with residuals up to ${worst.toPrecision(2)}`;
}
