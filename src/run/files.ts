import { join } from "node:path";

/** The files of a run directory, whatever its kind; a kind may leave some of them out. */
export const runFiles = (run: string) => ({
  config: join(run, "config.toml"),
  record: join(run, "run.json"),
  metrics: join(run, "metrics.jsonl"),
  timings: join(run, "timings.jsonl"),
  /** Who writes the run (claim.ts); not there once it is complete. */
  claims: join(run, "claims"),
  checkpoints: join(run, "checkpoints"),
  weights: join(run, "weights.safetensors"),
  best: join(run, "best.safetensors"),
  tensorboard: join(run, "tensorboard"),
  /** What TensorBoard reads (train/tensorboard). A name without time and machine, so that a resumed run goes on with it. */
  events: join(run, "tensorboard", "events.out.tfevents.0.eigensam"),
});
