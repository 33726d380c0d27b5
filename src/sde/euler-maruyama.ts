import { add, mul } from "../graph/ops/elementwise.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { NumberArray } from "../nn/layout.ts";

/** Sums over mini-batches j of one Euler step, with ξⱼ standard normal; as long as θ, whatever the number of batches. */
export interface DriftSums<V> {
  /** Σ hⱼ. */
  readonly h: V;
  /** Σ ξⱼhⱼ. */
  readonly xiH: V;
}

/** The sums with one more mini-batch in them, as part of that mini-batch's graph. */
export const accumulated = (sums: DriftSums<Tensor>, h: Tensor, xi: Tensor): DriftSums<Tensor> => ({
  h: add(sums.h, h),
  xiH: add(sums.xiH, mul(xi, h)),
});

/** The sizes and random numbers of one Euler–Maruyama step. */
export interface EulerStep {
  /** The learning rate η of the discrete method, which scales the noise. */
  readonly eta: number;
  /** Length of the step; η/r for r steps per discrete one. */
  readonly dt: number;
  /** The ξⱼ; their number is that of the mini-batches. */
  readonly xi: readonly number[];
}

/**
 * One Euler–Maruyama step of dX = −E[h] dt + √η·Cov(h)^½ dW, in place: with h̄ = Σhⱼ/M and
 * ζ = (Σξⱼhⱼ − (Σξⱼ)h̄)/√M,
 *
 *     θ ← θ − dt·h̄ + √(η·dt)·ζ.
 *
 * Given the mini-batches ζ is normal with their covariance Σ(hⱼ−h̄)(hⱼ−h̄)ᵀ/M, so no matrix is made and none is rooted
 * (paper.md, section 3).
 */
export function eulerMaruyama(
  theta: NumberArray,
  { h, xiH }: DriftSums<NumberArray>,
  { eta, dt, xi }: EulerStep,
): void {
  const batches = xi.length;
  const xiSum = xi.reduce((a, b) => a + b, 0);
  const noise = Math.sqrt(eta * dt) / Math.sqrt(batches);
  for (let i = 0; i < theta.length; i++) {
    const mean = h[i]! / batches;
    theta[i]! += noise * (xiH[i]! - xiSum * mean) - dt * mean;
  }
}
