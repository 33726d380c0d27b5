import { grad } from "../graph/grad.ts";
import { cast, greater } from "../graph/ops/compare.ts";
import { add, div, minimum, mul, sub } from "../graph/ops/elementwise.ts";
import { constant } from "../graph/ops/source.ts";
import type { Operand, Tensor } from "../graph/tensor.ts";
import { followSecant } from "./eigenvector.ts";
import type { Method } from "./method.ts";
import type { StepMetric } from "./metrics/metric.ts";
import type { Optimizer, OptimizerSettings, Update } from "./optimizers.ts";
import { asOne, type Parameter, whereTrained } from "./parameters.ts";
import type { Point, Values } from "./point.ts";
import { norm } from "./vector.ts";
import { DeclarationError } from "../util/errors.ts";

type Tensors = Readonly<Record<string, Tensor>>;

/** What a training step is made of; vectors are [d], numbers are []. */
export interface TrainingStepArgs extends Pick<Point, "f" | "theta" | "v"> {
  /** Left out, all ones. */
  readonly mask?: Tensor | undefined;
  /** Left out, zeros. */
  readonly noise?: Tensor | undefined;
  /** Left out, zeros. */
  readonly lots?: Tensor | undefined;
  /** Left out, 0. */
  readonly step?: Tensor | undefined;
  readonly method: Method;
  /** The method's hyperparameters and state vectors by name. */
  readonly values: Values;
  readonly optimizer: Optimizer;
  readonly settings: OptimizerSettings;
  /** What θ consists of (see `parametersOf`); left out, one vector. */
  readonly parameters?: readonly Parameter[] | undefined;
  /** The optimizer's state vectors by name. */
  readonly slots: Tensors;
  /** The optimizer's numbers of this step (see `Optimizer.scalars`). */
  readonly scalars: Tensors;
  /** Learning rate η. */
  readonly lr: Operand;
  /** The descent direction is shortened to this norm; 0 leaves it alone. */
  readonly clip?: number;
  /** The part of v that the secant of this step replaces (see `followSecant`); 0 leaves v alone. */
  readonly follow?: number;
  readonly metrics?: readonly StepMetric[];
}

/** What a training step makes, as tensors. */
export interface TrainingStep {
  /** θ after the step, [d]. */
  readonly theta: Tensor;
  /** The optimizer's and the method's state vectors after the step. */
  readonly slots: Tensors;
  readonly state: Tensors;
  /** The loss at θ, before the step, []. */
  readonly loss: Tensor;
  readonly metrics: Tensors;
  /** 1 where the direction was longer than `clip`, else 0, []; with `clip` alone. */
  readonly clipped?: Tensor;
  /** v after the step, where it follows the secant. */
  readonly v?: Tensor;
}

/**
 * One step of any method over any base optimizer, as a graph: θ ← optimizer(θ, clip(direction)), with the method's
 * direction at (f, θ, ∇f(θ), v).
 * θ, v and state vectors are [d]; loss and metrics are []. This is the whole of training on one mini-batch; {@link
 * compileStep} wraps it for arrays.
 *
 * @throws DerivativeError where f gives no single floating-point number
 * @example
 * ```ts
 * const settings = { momentum: 0, nesterov: false, weightDecay: 0, beta1: 0.9, beta2: 0.999, eps: 1e-8 };
 * const { sam } = trainingMethods;
 * const f = await compile(
 *   ({ theta, m }) => {
 *     const rest = { method: sam, values: { rho: 0.1 }, optimizer: optimizers.sgd, settings, scalars: {}, lr: 0.1 };
 *     const next = trainingStep({ f: (t) => dot(t, t), theta, v: theta, slots: { momentum_buffer: m }, ...rest });
 *     return { next: next.theta, loss: next.loss };
 *   },
 *   { theta: { shape: [2] }, m: { shape: [2] } },
 * );
 * console.log((await f.run({ theta: [3, 4], m: [0, 0] })).next); // [2.388, 3.184]
 * ```
 */
export function trainingStep(args: TrainingStepArgs): TrainingStep {
  const { f, theta, v, method, values, clip = 0, follow = 0, metrics = [] } = args;
  const { mask = constant(1, theta.shape, theta.dtype), step = constant(0, [], theta.dtype) } = args;
  const zero = constant(0, theta.shape, theta.dtype);
  const { parameters = asOne(theta.shape[0]!) } = args;
  const noise = whereTrained(parameters, args.noise ?? zero, zero);
  const loss = f(theta);
  const g = grad(loss, theta);
  const moved = (along: Tensor) => stepAlong(args, along).theta;
  const at: Point = { f, theta, g, v, mask, noise, moved, step, ...(args.lots ? { lots: args.lots } : {}) };
  const { direction: found, epsilon, ahead = found, state } = method.descend(at, values);
  const direction = whereTrained(parameters, found, zero);
  const update = stepAlong(args, direction);
  const measured = metrics.flatMap((metric) => {
    const value = metric.of({ ...at, loss, direction, epsilon });
    return value === undefined ? [] : [[metric.name, value] as const];
  });
  return {
    theta: update.theta,
    slots: update.state,
    state,
    loss,
    metrics: Object.fromEntries(measured),
    ...(clip > 0 ? { clipped: cast(greater(norm(direction), clip), theta.dtype) } : {}),
    ...(follow > 0 ? { v: followSecant(v, sub(ahead, g), followed(epsilon, method), follow) } : {}),
  };
}

/** A step of the base optimizer along a direction, shortened to `clip`. */
export function stepAlong(
  args: Omit<TrainingStepArgs, "f" | "v" | "method" | "values" | "metrics">,
  direction: Tensor,
): Update {
  const { theta, optimizer, slots, clip = 0, parameters = asOne(theta.shape[0]!) } = args;
  const g = clipped(whereTrained(parameters, direction, constant(0, theta.shape, theta.dtype)), clip);
  const next = optimizer.update({ ...args, parameters, state: slots, g });
  return { ...next, theta: whereTrained(parameters, next.theta, theta) };
}

function followed(epsilon: Tensor | undefined, { name }: Method): Tensor {
  if (epsilon !== undefined) return epsilon;
  throw new DeclarationError(
    `method ${name} returns no epsilon, so v cannot follow the change of the gradient along it`,
    { name },
    "return it from descend, or choose another solver: method.solver=lanczos",
  );
}

/** x·min(1, clip/(‖x‖ + 1e-6)), as PyTorch's clip_grad_norm_. */
const clipped = (x: Tensor, clip: number): Tensor =>
  clip === 0 ? x : mul(x, minimum(1, div(clip, add(norm(x), 1e-6))));
