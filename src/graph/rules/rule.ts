import type { Tensor } from "../tensor.ts";

/**
 * An exact identity: returns a node equal to `node` that is cheaper or more canonical, or undefined where it does not
 * apply. `simplify` gives the simplest form of a node the rule makes on the way.
 */
export type Rule = (node: Tensor, simplify: (node: Tensor) => Tensor) => Tensor | undefined;
