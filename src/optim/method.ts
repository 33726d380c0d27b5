import { grad } from "../graph/grad.ts";
import { add } from "../graph/ops/elementwise.ts";
import { constant } from "../graph/ops/source.ts";
import type { Operand, Tensor } from "../graph/tensor.ts";
import type { Declaration, Layout } from "../nn/layout.ts";
import { DeclarationError } from "../util/errors.ts";
import type { Hypers } from "./hyper.ts";
import type { Loss, Point, Values } from "./point.ts";
import { type Series, seriesSum } from "./series.ts";

/** A vector [d] that a method keeps from step to step, by how it starts. */
export type StateInit = "zeros" | "theta";
/** A state vector that starts at zero. */
export const zeros = "zeros" satisfies StateInit;

export type States = Readonly<Record<string, StateInit>>;

/** What a method computes with besides the loss. */
export interface Needs {
  /** Random numbers, new in every step. */
  readonly noise?: boolean;
  /** A random number for each parameter tensor, new in every step. */
  readonly lots?: boolean;
  /** SGD without momentum and weight decay, which the method has of its own, at this learning rate where none is given. */
  readonly plainSgd?: { readonly lr: number };
  /** v must be estimated. */
  readonly v?: boolean;
  /** Which parameters count, by their declaration (name and shape as in PyTorch). */
  readonly mask?: (parameter: Declaration) => boolean;
}

/** 1 where a parameter counts, else 0, [d]. */
export function maskOf(counts: NonNullable<Needs["mask"]>, { entries, size }: Layout): Float32Array {
  const mask = new Float32Array(size);
  for (const entry of entries) if (counts(entry)) mask.fill(1, entry.offset, entry.offset + entry.size);
  return mask;
}

/** What a step descends, where it looked, and the method's state after it. */
export interface Descent {
  readonly direction: Tensor;
  /** The perturbation of θ at which the direction was taken, where there is one. */
  readonly epsilon?: Tensor;
  /** ∇f(θ + ε), where the direction is made of it. */
  readonly ahead?: Tensor;
  readonly state: Readonly<Record<string, Tensor>>;
}

/**
 * Another rule for some of a method's steps. Which rule a step takes is decided before it runs, and each rule is a graph of its own: a cheaper
 * rule makes cheaper steps.
 */
export interface Between {
  /** Whether a step takes this rule; `step` counts the steps of the method from 0. */
  when(step: number, hyper: Readonly<Record<string, number>>): boolean;
  descend(at: Point, values: Values): Descent;
}

/** A training method as registries and steps see it; made by `defineMethod`. */
export interface Method<H extends Hypers = Hypers, S extends States = States> {
  readonly kind: "method";
  readonly name: string;
  /** As figures and tables call it. */
  readonly title: string;
  /** One line: the formula of the direction. */
  readonly summary: string;
  readonly source?: string;
  /** Gradients per step. */
  readonly cost?: string;
  /** Its colour in figures, #rrggbb. */
  readonly colour?: string;
  readonly hyper: H;
  readonly state: S;
  readonly needs: Needs;
  /** How its direction expands in ρ, for the SDEs; undefined where it does not. */
  readonly series?: Series;
  /** The rule of steps between those of `descend`, where there are some. */
  readonly between?: Between;
  /** ε, where the method is one of a perturbation. */
  readonly ascent?: Series["ascent"];
  /** Why ε cannot be turned towards v (see `aligned`), where it has one. */
  readonly unaligned?: string;
  /** The rule; another ε than the method's own may be given to methods that have one. */
  descend(at: Point, values: Values, epsilon?: Tensor): Descent;
}

type Named<H extends Hypers, S extends States> = { readonly [K in keyof H]: Operand } & {
  readonly [K in keyof S]: Tensor;
};

interface Definition<H extends Hypers, S extends States> {
  /** Lower case with dashes. */
  readonly name: string;
  readonly title: string;
  readonly summary: string;
  readonly source?: string;
  /** Gradients per step, in words. */
  readonly cost?: string;
  readonly colour?: string;
  /** The numbers it reads, by name. */
  readonly hyper?: H;
  /** The vectors it keeps, by name. */
  readonly state?: S;
  readonly needs?: Needs;
  /** Why `method.align` is refused for its ε; left out, it is taken. */
  readonly unaligned?: string;
  /** A cheaper or other rule for the steps that `when` chooses by their number, counted from 0. */
  readonly between?: {
    when(step: number, hyper: { readonly [K in keyof H]: number }): boolean;
    descend(args: At & Named<H, S>): Found<S>;
  };
}

/** What a method's own function sees of one mini-batch. */
type At = Point & Required<Pick<Point, "noise" | "lots" | "moved">>;

/** A perturbation, and the gradient there. */
interface Ahead {
  readonly epsilon: Tensor;
  readonly ahead: Tensor;
}

/** What a method's own function returns: the direction, perhaps ε, and every state vector after the step. */
type Found<S extends States> = { readonly direction: Tensor; readonly epsilon?: Tensor } & {
  readonly [K in keyof S]: Tensor;
};

/** A method in one of four forms: a perturbation ε, one with what is made of ∇f(θ + ε), the terms of a series in ρ, or any function. */
export type MethodDefinition<H extends Hypers, S extends States> = Definition<H, S> &
  (
    | {
        /** ε at (θ, g, v); the direction is ∇f(θ + ε). For methods without state. */
        ascent(args: Omit<At, "f"> & Named<H, S>): Tensor;
      }
    | {
        /** The direction is g + a·ρHw + b·(ρ²/2)T[w,w], with w the `ascent` at ρ = 1. */
        readonly series: { ascent(args: Omit<At, "f"> & Named<H, S>): Tensor; readonly factors: Series["factors"] };
      }
    | {
        ascent(args: Omit<At, "f"> & Named<H, S>): Tensor;
        /** The direction and state vectors, of ε and `ahead` = ∇f(θ + ε). */
        combine(args: At & Ahead & Named<H, S>): Found<S>;
      }
    | { descend(args: At & Named<H, S>): Found<S> }
  );

/**
 * ∇f at a point [d] that may itself be computed, of shape [d].
 *
 * @throws DerivativeError where f gives no single floating-point number
 * @example
 * ```ts
 * const f = await compile(({ x }) => ({ g: gradAt((t) => sum(mul(t, t)), add(x, 1)) }), { x: { shape: [2] } });
 * console.log((await f.run({ x: [1, 2] })).g); // [4, 6]
 * ```
 */
export const gradAt = (f: Loss, point: Tensor): Tensor => grad(f(point), point);

/** Names that a hyperparameter or state vector cannot have: parts of Point and Descent, and the other settings of `method`. */
const RESERVED: ReadonlySet<string> = new Set([
  ...["f", "theta", "g", "v", "mask", "noise", "lots", "moved", "step", "direction", "epsilon", "ahead"],
  ...[
    "name",
    "use",
    "solver",
    "every",
    "iterations",
    "follow",
    "hessianBn",
    "warmup",
    "compat",
    "rhoWarmup",
    "from",
    "align",
    "trust",
    "batches",
  ],
]);

/** A setting of `method`, so no hyperparameter; vectors may have this name. */
const PARTS = "m";

/**
 * Declares a training method. Use it by value (`train({ method: { use: mine } })`), from a file (`--plugin FILE`), or
 * by its name once it stands in a registry.
 * Settings, graph inputs, checkpoints, SDEs, help and figures follow from the declaration. Its function sees tensors:
 * θ, g and v are [d], hyperparameters are scalars.
 *
 * @throws DeclarationError where a name is reserved, taken twice or malformed
 * @example
 * ```ts
 * const sam = defineMethod({
 *   name: "my-sam",
 *   title: "My SAM",
 *   summary: "∇f(θ + ρĝ)",
 *   hyper: { rho: radius(0.05) },
 *   ascent: ({ g, rho }) => mul(rho, unit(g)),
 * });
 * const data = { train: { x: [[0], [1], [2]], y: [[1], [3], [5]] } };
 * const { done } = train({ data, model: mlp({ classes: 1, hidden: [8] }), method: { use: sam, rho: 0.1 }, epochs: 1, batch: 3 });
 * console.log((await done).steps); // 1
 * ```
 */
export function defineMethod<
  const H extends Hypers = Record<never, never>,
  const S extends States = Record<never, never>,
>(definition: MethodDefinition<H, S>): Method<H, S> {
  const { name, title, summary, source, cost, colour, unaligned, needs = {} } = definition;
  const hyper = definition.hyper ?? ({} as H);
  const state = definition.state ?? ({} as S);
  assertNames(name, Object.keys(hyper), Object.keys(state));
  const unknown = () => {
    throw new DeclarationError(
      `method ${name} asks for a step of the base optimizer, and there is none here`,
      { name },
      "train with it",
    );
  };
  const named = <P extends Omit<Point, "f">>(at: P, values: Values) => {
    const zero = constant(0, at.theta.shape, at.theta.dtype);
    const { noise = zero, lots = zero, moved = unknown } = at;
    return { ...at, noise, lots, moved, ...values } as P & Pick<At, "noise" | "lots" | "moved"> & Named<H, S>;
  };
  const descentBy =
    (rule: string, found: (args: At & Named<H, S>) => Found<S>): Method["descend"] =>
    (at, values) => {
      const { direction, epsilon, ...next } = found(named(at, values));
      const missing = Object.keys(state).find((vector) => !(vector in next));
      if (missing !== undefined)
        throw new DeclarationError(
          `method ${name}: ${rule} returns no ${missing}`,
          { name, missing },
          "return every state vector",
        );
      return { direction, ...(epsilon ? { epsilon } : {}), state: next as Readonly<Record<string, Tensor>> };
    };
  const { between } = definition;
  const facts = {
    ...{ kind: "method" as const, name, title, summary, hyper, state, needs },
    ...(source === undefined ? {} : { source }),
    ...(cost === undefined ? {} : { cost }),
    ...(colour === undefined ? {} : { colour }),
    ...(unaligned === undefined ? {} : { unaligned }),
    ...(between === undefined
      ? {}
      : {
          between: {
            when: between.when as Between["when"],
            descend: descentBy("between.descend", (args) => between.descend(args)),
          },
        }),
  };

  if ("descend" in definition) return { ...facts, descend: descentBy("descend", (args) => definition.descend(args)) };
  if ("combine" in definition) {
    const combined = descentBy("combine", (args) => definition.combine(args as typeof args & Ahead));
    return perturbing(facts, (at, values) => definition.ascent(named(at, values)), combined);
  }

  const rule = "series" in definition ? definition.series.ascent : definition.ascent;
  const factors = "series" in definition ? definition.series.factors : ([1, 1] as const);
  const series: Series = { ascent: (at, values) => rule(named(at, values)), factors };
  if ("series" in definition)
    return {
      ...facts,
      series,
      descend: (at, values) => ({ direction: seriesSum(series, 2, at, values), state: {} }),
    };
  return { ...perturbing(facts, series.ascent, ({ ahead }) => ({ direction: ahead, state: {} })), series };
}

/** A method that takes the gradient at θ + ε, and makes its direction of it. */
function perturbing<H extends Hypers, S extends States>(
  facts: Omit<Method<H, S>, "descend">,
  ascent: Series["ascent"],
  descend: (at: Point & Ahead, values: Values) => Descent,
): Method<H, S> {
  return {
    ...facts,
    ascent,
    descend: (at, values, epsilon = ascent(at, values)) => {
      const ahead = gradAt(at.f, add(at.theta, epsilon));
      return { epsilon, ahead, ...descend({ ...at, epsilon, ahead }, values) };
    },
  };
}

function assertNames(method: string, hyper: readonly string[], state: readonly string[]): void {
  if (!/^[a-z][a-z0-9-]*$/.test(method))
    throw new DeclarationError(
      `method name "${method}", expected lower case with dashes`,
      { method },
      "as in friendly-sam",
    );
  const names = [...hyper, ...state];
  for (const [i, name] of names.entries()) {
    const problem =
      RESERVED.has(name) || (name === PARTS && i < hyper.length)
        ? "is reserved"
        : names.indexOf(name) < i
          ? "stands twice"
          : /^[a-zA-Z][a-zA-Z0-9]*$/.test(name)
            ? undefined
            : "is no identifier";
    if (problem !== undefined)
      throw new DeclarationError(
        `method ${method}: the name ${name} ${problem}`,
        { method, name },
        `reserved: ${[...RESERVED].join(", ")}`,
      );
  }
}
