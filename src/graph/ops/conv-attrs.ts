/**
 * Two-dimensional convolution (cross-correlation, as in every deep-learning library). Activations are [H, W, N, C], weights
 * [kernel height, kernel width, C, K]; docs/engine.md explains why this order is fast.
 * The three ops are the three contractions of one trilinear form Σ x·w·g, so each one's derivatives are the other two.
 */
export interface ConvAttrs {
  /** Height and width of x. */
  readonly size: readonly [number, number];
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  /** Zeros on both sides of each axis. */
  readonly padding: readonly [number, number];
}

export const convOutputSize = ({ size, kernel, stride, padding }: ConvAttrs): [number, number] => {
  const along = (axis: 0 | 1) => Math.floor((size[axis] + 2 * padding[axis] - kernel[axis]) / stride[axis]) + 1;
  return [along(0), along(1)];
};
