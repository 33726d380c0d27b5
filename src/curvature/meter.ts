import type { SymmetricOperator } from "../spectrum/operator.ts";
import type { Vector } from "../spectrum/vectors.ts";
import type { CurvaturePart } from "./result.ts";
import type { EmpiricalLoss } from "../train/streamed.ts";

/** Progress of one part of the measurement: products made (points, of a slice), and the most it makes. */
export interface Progress {
  readonly part: "eigenvalues" | "copies" | "check" | "held out" | "trace" | "density" | "layers" | "slice";
  readonly done: number;
  readonly of: number;
}

/** Gives out the Hessian at θ, counts its products, tells of them, and notes what a stop has left undone. */
export interface Meter {
  readonly loss: EmpiricalLoss;
  readonly theta: Vector;
  readonly stop: AbortSignal | undefined;
  readonly listen: (progress: Progress) => void;
  /** Begins a part of so many products at most: gives the Hessian over the mini-batches of these numbers, or of all. */
  begin(part: Progress["part"], most: number): (batches?: readonly number[]) => SymmetricOperator;
  /** What the work gives; undefined, and noted as missing, where it was stopped before its end. */
  unlessStopped<T>(part: CurvaturePart, work: () => Promise<T>): Promise<T | undefined>;
  /** Parts that were stopped, in order. */
  missing(): readonly CurvaturePart[];
  /** Products so far, in products over all images. */
  products(): number;
}

export function meterOf(
  loss: EmpiricalLoss,
  theta: Vector,
  listen: (progress: Progress) => void,
  stop: AbortSignal | undefined,
): Meter {
  let products = 0;
  const missing = new Set<CurvaturePart>();
  return {
    loss,
    theta,
    stop,
    listen,
    begin: (part, most) => {
      let done = 0;
      if (!stop?.aborted) listen({ part, done, of: most });
      return (batches) => {
        const hessian = loss.hessian(theta, batches, stop);
        const cost = batches === undefined ? 1 : loss.weightOf(batches);
        const apply = async (v: Vector) => {
          const image = await hessian.apply(v);
          products += cost;
          listen({ part, done: ++done, of: most });
          return image;
        };
        return { ...hessian, apply };
      };
    },
    unlessStopped: async (part, work) => {
      try {
        stop?.throwIfAborted();
        return await work();
      } catch (error) {
        if (!stop?.aborted || error !== stop.reason) throw error;
        missing.add(part);
        return undefined;
      }
    },
    missing: () => [...missing],
    products: () => products,
  };
}
