import type { Operand, Tensor } from "../graph/tensor.ts";

/** The mini-batch loss as a function of the flat parameters θ, [d] → []. */
export interface Loss {
  (theta: Tensor): Tensor;
  /** Its examples, where they are known one by one. */
  readonly examples?: Examples | undefined;
}

/** The examples of a mini-batch of n. */
export interface Examples {
  /** The loss of each, [d] → [n]. */
  losses(theta: Tensor): Tensor;
  /** The mean loss of those at some positions, i32 [k]. */
  of(positions: Tensor): Loss;
}

/** What every method sees of one mini-batch. */
export interface Point {
  readonly f: Loss;
  /** The parameters, [d]. */
  readonly theta: Tensor;
  /** ∇f(θ), [d]. */
  readonly g: Tensor;
  /** The estimate of the top Hessian eigenvector, a unit vector [d]; zeros before the first estimate. */
  readonly v: Tensor;
  /** 1 where `needs.mask` accepts the parameter, else 0, [d]; all ones where the method has no mask. */
  readonly mask: Tensor;
  /** Independent standard normal numbers, new in every step, [d]; left out, zeros. */
  readonly noise?: Tensor;
  /** A number in [0, 1) for each parameter tensor, the same in all its places and new in every step, [d]; left out, zeros. */
  readonly lots?: Tensor;
  /** θ after a step of the base optimizer along a direction; left out where none is known. */
  readonly moved?: (direction: Tensor) => Tensor;
  /** Steps taken so far, []. */
  readonly step: Tensor;
}

/** Hyperparameters (scalars) and state vectors under their names. */
export type Values = Readonly<Record<string, Operand>>;
