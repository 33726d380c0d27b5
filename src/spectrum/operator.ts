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
 * calls for `together` vectors, in which they share what does not depend on the vector, and what is left is made one by one.
 * Where `stop` aborts, no further call is made, and its reason is thrown.
 */
export function gathered(
  size: number,
  dtype: FloatDType,
  products: Products,
  together: number,
  stop?: AbortSignal,
): SymmetricOperator {
  interface Request {
    readonly v: Vector;
    readonly done: (result: Vector) => void;
    readonly failed: (error: unknown) => void;
  }
  let waiting: Request[] = [];
  let working = false;
  const work = async () => {
    working = true;
    for (;;) {
      // A turn of the event loop later everyone who continues at this moment has asked.
      await new Promise((turn) => setTimeout(turn, 0));
      const some = waiting.splice(0, waiting.length < together ? 1 : together);
      if (some.length === 0) break;
      try {
        stop?.throwIfAborted();
        const results = await products(some.map(({ v }) => v));
        for (const [i, { done }] of some.entries()) done(results[i]!);
      } catch (error) {
        for (const { failed } of [...some, ...waiting]) failed(error);
        waiting = [];
      }
    }
    working = false;
  };
  return {
    dim: size,
    dtype,
    apply: (v) =>
      new Promise((done, failed) => {
        waiting.push({ v, done, failed });
        if (!working) void work();
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
