/** A network, data and a loss of one's own: a curve fitted with SAM over AdamW. */
import { linear, type Network, tanh } from "eigensam";
import { train } from "eigensam/node";

const points = (count: number) => Array.from({ length: count }, (_, i) => [(2 * i) / (count - 1) - 1]);
const curve = (x: readonly (readonly number[])[]) => x.map(([t = 0]) => [Math.sin(3 * t)]);

const network: Network = (scope, x) => linear(scope.at("out"), tanh(linear(scope.at("hidden"), x, 32)), 1);

const trained = await train({
  data: { train: { x: points(128), y: curve(points(128)) }, test: { x: points(40), y: curve(points(40)) } },
  model: network,
  loss: "mse", // or a function of (output, target)
  method: { name: "sam", rho: 0.02 },
  optimizer: { name: "adamw", lr: 0.01 },
  epochs: 200,
  batch: 32,
}).done;

const { data } = await trained.predict([[0], [0.5]]);
console.log(`f(0) ≈ ${data[0]}, f(0.5) ≈ ${data[1]}, which is ${Math.sin(1.5)}`);
const { eigenvalues, residuals } = await trained.curvature({ top: 3 });
console.log(`test loss ${trained.test?.loss}; top eigenvalues ${eigenvalues}, residuals ${residuals}`);
await trained.export("curve.onnx");
await trained.release();
