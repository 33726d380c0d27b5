/** Curvature of anything differentiable: the Hessian as an operator, its outer eigenpairs and its spectral density. */
import { matmul, mean, mul, reshape, rng, sub, tanh } from "eigensam";
import { eigenpairs, hessianOf, spectralDensity } from "eigensam/node";

const random = rng(1, "data");
const normals = (length: number) => Float64Array.from({ length }, () => random.normal());
const batches = Array.from({ length: 4 }, () => ({
  x: { data: normals(32 * 5), shape: [32, 5] },
  y: { data: normals(32), shape: [32, 1] },
}));

const hessian = await hessianOf({
  f: (theta, { x, y }) => {
    const error = sub(tanh(matmul(x, reshape(theta, [5, 1]))), y);
    return mean(mul(error, error));
  },
  theta: normals(5),
  batches,
});
const { values, residuals, converged } = await eigenpairs(hessian, { top: 3, bottom: 1, tolerance: 1e-8 });
console.log({ dim: hessian.dim, values, residuals, converged });
const { grid } = await spectralDensity(hessian, { probes: 10, steps: 5, seed: 1 });
console.log(`the spectrum lies between ${grid[0]} and ${grid.at(-1)}`);
await hessian.release();
