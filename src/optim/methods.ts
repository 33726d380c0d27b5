import { grad, gradientVectorProduct } from "../graph/grad.ts";
import { add, mul } from "../graph/ops/elementwise.ts";
import type { Operand, Tensor } from "../graph/tensor.ts";
import { type AscentRule, asam, eigenSam, reverseSam, sam, usam } from "./ascent.ts";
import { unit } from "./vector.ts";
import { namesOf } from "../util/names.ts";

/** The mini-batch loss as a function of the flat parameters. */
export type Loss = (theta: Tensor) => Tensor;

/** What a method sees of one mini-batch: f, θ, g = ∇f(θ), the estimate v of the top eigenvector, ρ and α. */
export interface DescentArgs {
  readonly f: Loss;
  readonly theta: Tensor;
  readonly g: Tensor;
  readonly v: Tensor;
  readonly rho: Operand;
  readonly alpha: Operand;
}

/** The vector that the base optimizer descends, and the perturbation it was taken at, where there is one. */
export interface Descent {
  readonly direction: Tensor;
  readonly epsilon?: Tensor;
}

/** How a mini-batch becomes a descent direction; with a base optimizer it is a training method. */
export interface Method {
  /** As figures and tables call it. */
  readonly title: string;
  /** One line: the formula. */
  readonly summary: string;
  /** Whether v is part of the formula, and so must be estimated. */
  readonly eigenvector: boolean;
  /** Whether ρ is part of the formula. */
  readonly radius: boolean;
  descend(args: DescentArgs): Descent;
}

/** ∇f at a point that is itself computed. */
const gradAt = (f: Loss, point: Tensor): Tensor => grad(f(point), point);

const ascending = (title: string, summary: string, rule: AscentRule, eigenvector = false): Method => ({
  title,
  summary,
  eigenvector,
  radius: true,
  descend: ({ f, theta, ...args }) => {
    const epsilon = rule({ theta, ...args });
    return { direction: gradAt(f, add(theta, epsilon)), epsilon };
  },
});

/** The training methods; a new one is one entry. Signs of the (second-, third-)order terms in ρ stand in paper.md's table. */
export const trainingMethods = {
  sgd: {
    title: "SGD",
    summary: "∇f(θ)",
    eigenvector: false,
    radius: false,
    descend: ({ g }) => ({ direction: g }),
  },
  sam: ascending("SAM", "∇f(θ + ρĝ)", sam),
  usam: ascending("USAM", "∇f(θ + ρg)", usam),
  asam: ascending("ASAM", "∇f(θ + ρ θ²g/‖θg‖)", asam),
  "reverse-sam": ascending("Reverse-SAM", "∇f(θ − ρĝ)", reverseSam),
  egr: {
    title: "EGR",
    summary: "g + ρHĝ, the gradient of f + ρ‖∇f‖",
    eigenvector: false,
    radius: true,
    descend: ({ theta, g, rho }) => ({ direction: add(g, mul(rho, gradientVectorProduct(g, theta, unit(g)))) }),
  },
  "third-order": {
    title: "Third-order",
    summary: "g + (ρ²/2)T[ĝ,ĝ]",
    eigenvector: false,
    radius: true,
    descend: ({ theta, g, rho }) => {
      const u = unit(g);
      const T = gradientVectorProduct(gradientVectorProduct(g, theta, u), theta, u);
      return { direction: add(g, mul(rho, mul(rho, mul(0.5, T)))) };
    },
  },
  "eigen-sam": ascending("Eigen-SAM", "∇f(θ + ρ(ĝ + α·sign⟨g,v⟩·v⊥))", eigenSam, true),
} as const satisfies Readonly<Record<string, Method>>;

export type TrainingMethodName = keyof typeof trainingMethods;

export const trainingMethodNames = namesOf(trainingMethods);
