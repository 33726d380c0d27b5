import type { FloatDType } from "../graph/tensor.ts";
import type { Vector } from "./vectors.ts";

/**
 * A symmetric matrix that is known by its products with vectors: a Hessian over one batch, several or a whole data set.
 * Every measurement here works on this interface.
 */
export interface SymmetricOperator {
  readonly dim: number;
  readonly dtype: FloatDType;
  /** H·v as a new vector. */
  apply(v: Vector): Promise<Vector>;
}

/** Products of several vectors at once, in order. */
export type Products = (vectors: readonly Vector[]) => Promise<readonly Vector[]>;

/**
 * The operator whose products are gathered: those asked for at the same time, by probes or layers that run side by side, become
 * one call, in which they share what does not depend on the vector.
 */
export function gathered(size: number, dtype: FloatDType, products: Products): SymmetricOperator {
  interface Request {
    readonly v: Vector;
    readonly done: (result: Vector) => void;
    readonly failed: (error: unknown) => void;
  }
  let waiting: Request[] = [];
  const flush = () => {
    const requests = waiting;
    waiting = [];
    products(requests.map(({ v }) => v)).then(
      (results) => {
        for (const [i, { done }] of requests.entries()) done(results[i]!);
      },
      (error) => {
        for (const { failed } of requests) failed(error);
      },
    );
  };
  return {
    dim: size,
    dtype,
    apply: (v) =>
      new Promise((done, failed) => {
        // A turn of the event loop later everyone who continues at this moment has asked.
        if (waiting.length === 0) setTimeout(flush, 0);
        waiting.push({ v, done, failed });
      }),
  };
}

/** The diagonal block of rows and columns start … end − 1. */
export function blockOf(
  { dim: size, dtype, apply: product }: SymmetricOperator,
  start: number,
  end: number,
): SymmetricOperator {
  return {
    dim: end - start,
    dtype,
    apply: async (v) => {
      const whole = dtype === "f64" ? new Float64Array(size) : new Float32Array(size);
      whole.set(v, start);
      return (await product(whole)).slice(start, end);
    },
  };
}
