import type { Tensor } from "../graph/tensor.ts";
import { topological } from "../graph/walk.ts";

/** The order in which nodes are written. */
export const schedule = (outputs: readonly Tensor[]): Tensor[] => topological(outputs);
