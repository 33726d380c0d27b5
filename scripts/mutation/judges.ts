/**
 * The tests that judge the numbers of a folder, in this process: no build, no command line, no long training. Code that runs when a
 * module is loaded is tried on all of them, so there are no more than needed.
 */
export const judges: Readonly<Record<string, readonly string[]>> = {
  "src/optim": ["methods", "optim", "optim-parts", "plan"],
  "src/sde": ["sde-contraction", "sde-noise", "sde-orders", "sde-variants"],
  "src/report": ["report-pairs", "report-statistics", "report-tables"],
  "src/spectrum": ["curvature"],
  "src/graph": ["golden-ops", "ops", "properties"],
  "src/curvature": ["curvature-wiring", "curvature-measure", "curvature-stop"],
  "src/data/augment": ["augment", "streams"],
  "src/data/batch-maker": ["streams"],
  "src/data/batches": ["data", "data-edges", "streams"],
  "src/data/label": ["label-noise", "labels", "streams"],
  "src/data/permutation": ["streams"],
  "src/data/split": ["label-noise", "streams"],
  "src/data": ["data", "data-edges", "formats", "identity"],
  "src/train/fixed-batches": ["streams"],
  "src/train/stepper": ["step-wiring", "streams", "train-wiring"],
  "src/train/refresh": ["step-wiring", "train-wiring"],
  "src/train/probe": ["step-wiring", "probe"],
  "src/train/graphs": ["step-wiring", "train-wiring"],
  "src/train/evaluate": ["step-wiring", "train-wiring"],
  "src/train/loop": ["loop-wiring"],
  "src/train/session": ["session-wiring", "loop-wiring", "step-wiring"],
  "src/train/state": ["streams"],
  "src/train/checkpoint": ["loop-wiring"],
  "src/train": ["settings", "trainer-solvers", "train"],
};
