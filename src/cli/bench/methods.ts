import { grad, hessianVectorProduct } from "../../graph/grad.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { powerIteration } from "../../optim/eigenvector.ts";
import { eigenSamStep, type Loss, type StepResult, samStep, sgdStep } from "../../optim/steps.ts";
import { namesOf } from "../../util/names.ts";

/** The values of bench/torch_peer.py. */
const hyper = { lr: 0.01, mu: 0.9, weightDecay: 5e-4, rho: 0.1, alpha: 0.2 };

export interface MethodInputs {
  readonly theta: Tensor;
  readonly momentum: Tensor;
  /** A unit vector: the eigenvector of Eigen-SAM, the vector multiplied by the Hessian. */
  readonly v: Tensor;
}

interface Method {
  readonly summary: string;
  /** It has momentum, and the θ and momentum it returns are those of the next step. */
  readonly advances: boolean;
  readonly vector: boolean;
  build(f: Loss, inputs: MethodInputs): Readonly<Record<string, Tensor>>;
}

const advanced = ({ loss, theta, momentum }: StepResult) => ({ loss, nextTheta: theta, nextMomentum: momentum });

/** What can be timed; bench/torch_peer.py has the same list. */
export const methods = {
  grad: {
    summary: "loss and gradient",
    advances: false,
    vector: false,
    build: (f, { theta }) => {
      const loss = f(theta);
      return { loss, gradient: grad(loss, theta) };
    },
  },
  sgd: {
    summary: "one step of SGD with momentum",
    advances: true,
    vector: false,
    build: (f, state) => advanced(sgdStep(f, state, hyper)),
  },
  sam: {
    summary: "one step of SAM",
    advances: true,
    vector: false,
    build: (f, state) => advanced(samStep(f, state, hyper)),
  },
  "eigen-sam": {
    summary: "one step of Eigen-SAM, its eigenvector given",
    advances: true,
    vector: true,
    build: (f, { v, ...state }) => advanced(eigenSamStep(f, state, v, hyper)),
  },
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
} as const satisfies Readonly<Record<string, Method>>;

export type MethodName = keyof typeof methods;

export const methodNames = namesOf(methods);
