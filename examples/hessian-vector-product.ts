/** Loss, gradient and Hessian-vector product of a function of one's own, as one compiled graph. */
import { compile, grad, hessianVectorProduct, matmul, mean, mul, sub, tanh } from "eigensam/node";

const f = await compile(
  ({ theta, x, y, v }) => {
    const error = sub(tanh(matmul(x, theta)), y);
    const loss = mean(mul(error, error));
    return { loss, gradient: grad(loss, theta), product: hessianVectorProduct(loss, theta, v) };
  },
  { theta: { shape: [2, 1] }, x: { shape: [3, 2] }, y: { shape: [3, 1] }, v: { shape: [2, 1] } },
);
const { loss, gradient, product } = await f.run({
  theta: Float32Array.of(0.5, -0.5),
  x: Float32Array.of(1, 2, 3, 4, 5, 6),
  y: Float32Array.of(0.1, 0.2, 0.3),
  v: Float32Array.of(1, 0),
});
console.log({ loss, gradient, product });
