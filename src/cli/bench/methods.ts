import { grad, hessianVectorProduct } from "../../graph/grad.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { powerIteration } from "../../optim/eigenvector.ts";
import type { Method } from "../../optim/method.ts";
import { optimizers } from "../../optim/optimizers.ts";
import type { Loss } from "../../optim/point.ts";
import { trainingStep } from "../../optim/training-step.ts";
import type { Registry } from "../../train/registry.ts";

/** The values of bench/torch_peer.py; a method's own numbers have its defaults. */
const lr = 0.01;
const settings = { momentum: 0.9, nesterov: false, weightDecay: 5e-4, beta1: 0.9, beta2: 0.999, eps: 1e-8 };

export interface BenchInputs {
  readonly theta: Tensor;
  readonly momentum: Tensor;
  /** A unit vector: the eigenvector of Eigen-SAM, the vector multiplied by the Hessian. */
  readonly v: Tensor;
}

interface Bench {
  readonly summary: string;
  /** It has momentum, and the θ and momentum it returns are those of the next step. */
  readonly advances: boolean;
  readonly vector: boolean;
  build(f: Loss, inputs: BenchInputs): Readonly<Record<string, Tensor>>;
}

/** One step of a training method over SGD with momentum. Methods with state of their own, or with draws, are not timed. */
const stepOf = (method: Method): Bench => ({
  summary: `one step of ${method.title}`,
  advances: true,
  vector: method.needs.v === true,
  build: (f, { theta, momentum, v }) => {
    const values = Object.fromEntries(Object.entries(method.hyper).map(([name, hyper]) => [name, hyper.default]));
    const slots = { momentum_buffer: momentum };
    const step = trainingStep({
      f,
      theta,
      v,
      method,
      values,
      optimizer: optimizers.sgd,
      settings,
      slots,
      scalars: {},
      lr,
    });
    return { loss: step.loss, nextTheta: step.theta, nextMomentum: step.slots.momentum_buffer! };
  },
});

const products: Readonly<Record<string, Bench>> = {
  hvp: {
    summary: "one Hessian-vector product",
    advances: false,
    vector: true,
    build: (f, { theta, v }) => ({ Hv: hessianVectorProduct(f(theta), theta, v) }),
  },
  power5: {
    summary: "five steps of the power iteration",
    advances: false,
    vector: true,
    build: (f, { theta, v }) => {
      const power = powerIteration(f, theta, v, 5);
      return { nextV: power.v, eigenvalue: power.eigenvalue };
    },
  },
};

const gradient: Bench = {
  summary: "loss and gradient",
  advances: false,
  vector: false,
  build: (f, { theta }) => {
    const loss = f(theta);
    return { loss, gradient: grad(loss, theta) };
  },
};

/** What can be timed, by name; bench/torch_peer.py knows grad, sgd, sam, eigen-sam, hvp and power5. */
export const benchMethods = ({ methods }: Pick<Registry, "methods">): Readonly<Record<string, Bench>> => ({
  grad: gradient,
  ...Object.fromEntries(
    Object.values(methods)
      .filter(({ state, needs }) => Object.keys(state).length === 0 && !needs.lots)
      .map((method) => [method.name, stepOf(method)]),
  ),
  ...products,
});
