/** A training run: Eigen-SAM on the shipped images. A few seconds; in memory unless `dir` is given. */
import { train } from "eigensam/node";

const run = train({
  data: "fashion-mini",
  model: { name: "mlp", width: 32 },
  method: { name: "eigen-sam", rho: 0.05 },
  optimizer: { lr: 0.05 },
  epochs: 3,
  seed: 1,
});
for await (const event of run)
  if (event.event === "epoch") console.log(`epoch ${event.epoch}: validation accuracy ${event.val?.accuracy}`);
const { test } = await run.done;
console.log(`test accuracy ${test?.accuracy}`);
