import type { Model } from "../nn/scope.ts";
import { normalized } from "../spectrum/vectors.ts";

/** Makes a unit vector one over the trained parameters alone: frozen ones have no part in the Hessian that training sees. */
export function restrict(v: Float32Array, { parameters, frozen }: Pick<Model, "parameters" | "frozen">): Float32Array {
  if (frozen === undefined) return v;
  for (const { name, offset, size } of parameters.entries) if (frozen.has(name)) v.fill(0, offset, offset + size);
  v.set(normalized(v));
  return v;
}
