import type { Contractions } from "./cost.ts";
import type { Target, Tensor } from "../../graph/tensor.ts";

export interface LoweringContext {
  readonly target: Target;
  /** What the graph has of each convolution, by its geometry. */
  readonly contractions: ReadonlyMap<string, Contractions>;
  /** Makes a value once per key, so that equal nodes get equal constants. */
  memo<T>(key: string, make: () => T): T;
}

/** Rewrites a node in terms of ops that are cheaper on the target; undefined leaves it as it is. */
export type Lowering = (node: Tensor, context: LoweringContext) => Tensor | undefined;
