/**
 * The tests that judge the numbers of a folder, in this process: no build, no command line, no long training. Code that runs when a
 * module is loaded is tried on all of them, so there are no more than needed.
 */
export const judges: Readonly<Record<string, readonly string[]>> = {
  "src/optim": ["estimates", "method-declarations", "methods", "optim", "optim-parts", "plan"],
  "src/optim/eigenvector.ts": ["estimates", "methods"],
  "src/optim/refresh-plan.ts": ["estimates"],
  "src/optim/vector.ts": ["optim-parts"],
  "src/optim/optimizers.ts": ["methods", "optim-parts"],
  "src/optim/methods": ["method-declarations"],
  "src/sde": ["sde-contraction", "sde-noise", "sde-orders", "sde-variants"],
  "src/util/statistics.ts": ["report-statistics"],
  "src/report/pairs.ts": ["report-pairs"],
  "src/report": ["report-pairs", "report-statistics", "report-tables"],
  "src/spectrum": ["copies", "spectrum", "spectrum-probes", "spectrum-vectors"],
  "src/graph": ["grad", "ops", "properties", "rules"],
  "src/graph/accumulate.ts": ["grad"],
  "src/graph/grad.ts": ["grad"],
  "src/graph/rules": ["rules"],
  "src/curvature": ["curvature", "empirical-loss"],
  "src/data": ["data", "data-edges", "formats", "identity"],
  "src/train": ["settings", "trainer-solvers", "train"],
};
