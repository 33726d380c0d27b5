import { transpose } from "../graph/ops/arrange.ts";
import type { Tensor } from "../graph/tensor.ts";

/**
 * Images [N, C, H, W], as files and PyTorch have them, in the engine's order [H, W, N, C].
 *
 * @example
 * ```ts
 * console.log(fromNchw(input("images", [16, 3, 32, 24])).shape); // [32, 24, 16, 3]
 * ```
 */
export const fromNchw = (x: Tensor): Tensor => transpose(x, [2, 3, 0, 1]);
