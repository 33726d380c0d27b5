import type { StudyRecord } from "../study/record.ts";

/** How good v is at the moment a step uses it, by the probe. */
export interface Moment {
  readonly step: number;
  readonly eigenvalue: number;
  readonly ratio: number;
  readonly subspace: number;
}

/** What a run of the study of solvers shows. */
export interface StudyResult {
  readonly name: string;
  readonly network: string;
  readonly solver: string;
  readonly seed: number;
  readonly steps: number;
  readonly moments: readonly Moment[];
  readonly testAccuracy: number;
  /** Estimates and their Hessian-vector products in the whole run. */
  readonly estimates: number;
  readonly products: number;
}

export const resultOf = ({ name, network, arm, seed, steps, probes, test, estimates }: StudyRecord): StudyResult => ({
  ...{ name, network, solver: arm, seed, steps },
  moments: probes.map(({ step, eigenvalue, ratio = Number.NaN, subspace = Number.NaN }) => ({
    ...{ step, eigenvalue, ratio, subspace },
  })),
  testAccuracy: test?.accuracy ?? Number.NaN,
  estimates: estimates.made,
  products: estimates.products,
});
