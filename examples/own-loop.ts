/** A training loop of one's own around a compiled step: the schedule, the batches and the stopping are yours. */
import { linear, type Network, relu, rng } from "eigensam";
import { compileStep } from "eigensam/node";

const network: Network = (scope, x) => linear(scope.at("out"), relu(linear(scope.at("hidden"), x, 16)), 1);

const step = await compileStep({
  network,
  inputs: { x: [64, 8], y: [64, 1] },
  loss: "mse",
  method: { name: "eigen-sam", rho: 0.05, solver: "power", every: 50 },
  optimizer: { name: "sgd", momentum: 0.9, weightDecay: 0 },
});

const random = rng(1, "data");
const batch = () => {
  const x = Float32Array.from({ length: 64 * 8 }, () => random.normal());
  return { x, y: Float32Array.from({ length: 64 }, (_, i) => Math.max(x[8 * i] ?? 0, x[8 * i + 1] ?? 0)) };
};

let state = step.init({ seed: 1 });
for (let t = 0; t < 300; t++) {
  const examples = batch();
  if (step.refreshDue(state)) state = await step.refresh(state, examples);
  const { metrics } = await step.run(state, examples, { lr: 0.1 * (1 - t / 300) });
  if (t % 100 === 0) console.log(`step ${t}: loss ${metrics.loss}, λ₁ ${step.measured?.eigenvalue}`);
}
console.log(`after ${state.step} steps ‖θ‖ is ${Math.hypot(...state.theta)}`);
await step.release();
