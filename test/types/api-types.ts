/** Mistakes that must not compile; `npm run check` reads this file, and nothing runs it. */
import { defineMethod, gradAt, mul, radius, real, unit, zeros } from "../../src/index.ts";
import { compileStep, hessianOf, measureCurvature, train } from "../../src/node.ts";
import { oneLinear } from "../support/linear.ts";

const data = { train: { x: [[1]], y: [[1]] } };
const base = { data, model: oneLinear };

const own = defineMethod({
  name: "own",
  title: "Own",
  summary: "∇f(θ + ρĝ) with a share σ",
  hyper: { rho: radius(), sigma: real(1, "share") },
  state: { m: zeros },
  descend: ({ f, theta, g, rho, m }) => ({ direction: gradAt(f, mul(theta, mul(rho, unit(g)))), m }),
});

train({ ...base, method: { name: "eigen-sam", rho: 0.1, alpha: 0.2, solver: "lanczos" } });
train({ ...base, method: { use: own, sigma: 0.8 } });
train({ ...base, validation: 0.1, examples: 100, labelNoise: 0.3 });

// @ts-expect-error: a setting that is misspelt
train({ ...base, method: { name: "sam", roh: 0.1 } });
// @ts-expect-error: SAM reads no α
train({ ...base, method: { name: "sam", alpha: 0.2 } });
// @ts-expect-error: there is no such method
train({ ...base, method: "eigensam" });
// @ts-expect-error: a setting of a method by value that is misspelt
train({ ...base, method: { use: own, sigmma: 0.8 } });
// @ts-expect-error: a number given as text
train({ ...base, method: { use: own, sigma: "0.8" } });
// @ts-expect-error: there is no such model
train({ data, model: "resnet19" });
// @ts-expect-error: a setting of a model that is misspelt
train({ data, model: { name: "mlp", widht: 8 } });
// @ts-expect-error: there is no such data set
train({ data: "fashion", model: "mlp" });
// @ts-expect-error: there is no such loss
train({ ...base, loss: "l2" });
// @ts-expect-error: there is no such option
train({ ...base, epoch: 3 });
// @ts-expect-error: a part is a number
train({ ...base, labelNoise: "30 %" });
// @ts-expect-error: there is no such solver
train({ ...base, method: { name: "eigen-sam", solver: "arnoldi" } });
// @ts-expect-error: there is no such optimizer
train({ ...base, optimizer: "adam" });
// @ts-expect-error: batches need stepsPerEpoch
train({ data: { train: () => [data.train] }, model: oneLinear });
// @ts-expect-error: a typed array needs its shape
train({ data: { train: { x: Float32Array.of(1), y: [[1]] } }, model: oneLinear });
// @ts-expect-error: shapes are numbers
compileStep({ network: oneLinear, inputs: { x: ["4", 1], y: [4, 1] } });
hessianOf({
  // @ts-expect-error: the batches have no z
  f: (theta, { z }) => mul(theta, z),
  theta: Float64Array.of(1),
  batches: [{ x: { data: Float64Array.of(1), shape: [1] } }],
});
// @ts-expect-error: there is no such option
measureCurvature("run", { tops: 3 });
// @ts-expect-error: descend must return the state it declares
defineMethod({ name: "a", title: "A", summary: "", state: { m: zeros }, descend: ({ g }) => ({ direction: g }) });
