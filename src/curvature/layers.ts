import { extremeEigenpairs } from "../spectrum/extremes.ts";
import { blockOf, type SymmetricOperator } from "../spectrum/operator.ts";
import { blockTraces, signProbes } from "../spectrum/trace.ts";
import type { Layout } from "../nn/layout.ts";
import { rng } from "../util/rng.ts";
import type { LayerCurvature } from "./result.ts";

/** Largest residual of a layer's eigenvalue; the eigenvalue's own error is its square, relative to the gap. */
const TOLERANCE = 2e-2;
const MOST_PRODUCTS = 24;

/** Layers that run side by side: their products are gathered into one pass, their Krylov spaces share the memory. */
const TOGETHER = 8;

export interface Range {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** The modules of a network in its order, each with where its parameters lie: weights and biases of one module together. */
export function modulesOf({ entries }: Layout): Range[] {
  const ranges: Range[] = [];
  for (const { name, offset, size } of entries) {
    const module = name.split(".").slice(0, -1).join(".") || name;
    const last = ranges.at(-1);
    if (last?.name === module) ranges[ranges.length - 1] = { ...last, end: offset + size };
    else ranges.push({ name: module, start: offset, end: offset + size });
  }
  return ranges;
}

/**
 * Finds the largest signed eigenvalue of each module's diagonal block by Lanczos, and the blocks' traces, all from the same probes.
 * Each layer is handed over when it is measured, in the order of the network.
 */
export async function layerCurvatures(
  counted: (products: number) => SymmetricOperator,
  layout: Layout,
  probes: number,
  seed: number,
  found: (layer: LayerCurvature) => void,
): Promise<void> {
  const modules = modulesOf(layout);
  const most = modules.reduce((sum, { start, end }) => sum + Math.min(end - start, MOST_PRODUCTS), probes);
  const operator = counted(most);
  const signs = signProbes(operator, probes, rng(seed, "curvature", "layers"));
  const traces = blockTraces(signs, await Promise.all(signs.map((z) => operator.apply(z))), modules);
  for (let from = 0; from < modules.length; from += TOGETHER) {
    const some = modules.slice(from, from + TOGETHER);
    const pairs = await Promise.all(
      some.map(({ name, start, end }) =>
        extremeEigenpairs(blockOf(operator, start, end), {
          top: 1,
          bottom: 0,
          tolerance: TOLERANCE,
          maxProducts: MOST_PRODUCTS,
          random: rng(seed, "curvature", "layer", name),
        }),
      ),
    );
    for (const [i, { top }] of pairs.entries()) {
      const { name, start, end } = some[i]!;
      const { eigenvalue, residual } = top[0]!;
      found({ name, parameters: end - start, eigenvalue, residual, trace: traces[from + i]! });
    }
  }
}
