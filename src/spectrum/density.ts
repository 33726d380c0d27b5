import type { Rng } from "../util/rng.ts";
import { lanczos, ritz } from "./lanczos.ts";
import type { SymmetricOperator } from "./operator.ts";
import { estimateOf } from "./trace.ts";
import { rademacher, type Vector } from "./vectors.ts";

/** Gauss quadrature of one probe z: zᵀf(H)z/zᵀz = Σ weightsᵢ·f(nodesᵢ), exact for polynomials of degree 2·steps − 1. */
export interface Quadrature {
  readonly nodes: readonly number[];
  /** Sum 1. */
  readonly weights: readonly number[];
}

export interface DensityOptions {
  /** Lanczos steps per probe. */
  readonly steps: number;
  /** How many random probes, or which. */
  readonly probes: number | readonly Vector[];
  readonly random: Rng;
  readonly onProduct?: () => void;
  /** Takes the quadrature of each probe as soon as it is there. */
  readonly onQuadrature?: (quadrature: Quadrature) => void;
}

/** Probes that run side by side: their products are made together, and so many Krylov spaces are in memory. */
const TOGETHER = 4;

/** Stochastic Lanczos quadrature (Golub & Meurant 1994; Ghorbani, Krishnan & Xiao 2019): one quadrature per probe. */
export async function spectralQuadratures(operator: SymmetricOperator, options: DensityOptions): Promise<Quadrature[]> {
  const { steps, random, onProduct, onQuadrature } = options;
  const { dim: size, dtype } = operator;
  const probes =
    typeof options.probes === "number"
      ? Array.from({ length: options.probes }, () => rademacher(size, dtype, random))
      : options.probes;
  const one = async (start: Vector): Promise<Quadrature> => {
    const krylov = await lanczos(operator, {
      start,
      steps,
      random,
      enough: ({ beta }) => {
        onProduct?.();
        // What lies beyond an exhausted space has weight 0 in this probe.
        return beta.at(-1) === 0;
      },
    });
    const { values, vectors } = ritz(krylov);
    const quadrature = { nodes: values, weights: vectors.map((s) => s[0]! ** 2) };
    onQuadrature?.(quadrature);
    return quadrature;
  };
  const quadratures: Quadrature[] = [];
  for (let from = 0; from < probes.length; from += TOGETHER)
    quadratures.push(...(await Promise.all(probes.slice(from, from + TOGETHER).map(one))));
  return quadratures;
}

/** tr(Hᵏ)/size from the quadratures: mean and standard error over the probes. */
export const spectralMoment = (quadratures: readonly Quadrature[], power: number) =>
  estimateOf(quadratures.map(({ nodes, weights }) => nodes.reduce((sum, x, i) => sum + weights[i]! * x ** power, 0)));

export interface Density {
  readonly grid: readonly number[];
  /** Part of the eigenvalues per unit of the grid, smoothed. */
  readonly density: readonly number[];
  /** Standard error over the probes. */
  readonly stderr: readonly number[];
  /** Width of the Gaussian that every eigenvalue is smeared to. */
  readonly sigma: number;
}

/** The spectral density on a grid: every node smeared to a Gaussian of width sigma, by default 1/100 of the spectrum's extent. */
export function smoothedDensity(
  quadratures: readonly Quadrature[],
  { points = 400, sigma }: { readonly points?: number; readonly sigma?: number } = {},
): Density {
  const nodes = quadratures.flatMap((q) => q.nodes);
  const [low, high] = [Math.min(...nodes), Math.max(...nodes)];
  const width = sigma ?? Math.max((high - low) / 100, 1e-12 * Math.max(Math.abs(low), Math.abs(high)), 1e-30);
  const [from, to] = [low - 4 * width, high + 4 * width];
  const grid = Array.from({ length: points }, (_, i) => from + ((to - from) * i) / (points - 1));
  const bell = (x: number) => Math.exp(-0.5 * (x / width) ** 2) / (width * Math.sqrt(2 * Math.PI));
  const at = grid.map((x) =>
    estimateOf(quadratures.map((q) => q.nodes.reduce((sum, node, i) => sum + q.weights[i]! * bell(x - node), 0))),
  );
  return { grid, density: at.map(({ mean }) => mean), stderr: at.map(({ stderr }) => stderr), sigma: width };
}
