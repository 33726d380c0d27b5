import { spectralQuadratures } from "../spectrum/density.ts";
import { extremeEigenpairs } from "../spectrum/extremes.ts";
import { blockOf, type SymmetricOperator } from "../spectrum/operator.ts";
import { rayleighRitz } from "../spectrum/rayleigh-ritz.ts";
import { renyiSharpness } from "../spectrum/renyi.ts";
import { blockTraces, type Estimate, signProbes, unitVectors } from "../spectrum/trace.ts";
import type { Layout } from "../nn/layout.ts";
import { rng } from "../util/rng.ts";
import type { Meter } from "./meter.ts";
import type { LayerCurvature } from "./result.ts";

/** Largest residual of a layer's eigenvalue; the eigenvalue's own error is its square, relative to the gap. */
export const LAYER_TOLERANCE = 2e-2;
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

interface Quadratures {
  readonly probes: number;
  readonly steps: number;
}

interface LayersRequest {
  /** Random vectors for the traces. */
  readonly probes: number;
  readonly seed: number;
  /** How to find each spectrum's Rényi sharpness; left out where it is not wanted. */
  readonly renyi: Quadratures | undefined;
}

/** Products for one block of this size: Lanczos, one that measures its residual, and the spectrum. */
const productsFor = (size: number, renyi: Quadratures | undefined): number =>
  Math.min(size, MOST_PRODUCTS) + 1 + (renyi ? Math.min(size, renyi.probes) * Math.min(size, renyi.steps) : 0);

/**
 * The largest signed eigenvalue of each module's diagonal block by Lanczos, and the blocks' traces, all from the same probes. Where it is
 * stopped, the layers that are done, in the order of the network.
 */
export async function layerCurvatures(
  meter: Meter,
  layout: Layout,
  { probes, seed, renyi }: LayersRequest,
): Promise<LayerCurvature[]> {
  const modules = modulesOf(layout);
  const most = modules.reduce((sum, { start, end }) => sum + productsFor(end - start, renyi), probes);
  const done: LayerCurvature[] = [];
  await meter.unlessStopped("layers", async () => {
    const operator = meter.begin("layers", most)();
    const signs = signProbes(operator, probes, rng(seed, "curvature", "layers"));
    const traces = blockTraces(signs, await Promise.all(signs.map((z) => operator.apply(z))), modules);
    const measure = async ({ name, start, end }: Range, i: number) => {
      const block = blockOf(operator, start, end);
      const found = await extremeEigenpairs(block, {
        top: 1,
        bottom: 0,
        tolerance: LAYER_TOLERANCE,
        maxProducts: MOST_PRODUCTS,
        random: rng(seed, "curvature", "layer", name),
      });
      const { eigenvalue, residual } = (await rayleighRitz(block, found)).top[0]!;
      done[i] = {
        name,
        parameters: end - start,
        eigenvalue,
        residual,
        converged: residual <= LAYER_TOLERANCE,
        trace: traces[i]!,
        ...(renyi ? { renyi: await blockSharpness(block, name, renyi, seed) } : {}),
      };
    };
    for (let from = 0; from < modules.length; from += TOGETHER)
      await Promise.all(modules.slice(from, from + TOGETHER).map((module, i) => measure(module, from + i)));
  });
  // Without the holes of layers that were stopped.
  return done.filter((layer) => layer !== undefined);
}

/** By random probes, or exactly by the whole basis where that is no more. */
async function blockSharpness(
  block: SymmetricOperator,
  name: string,
  { probes, steps }: Quadratures,
  seed: number,
): Promise<Estimate> {
  const exact = block.dim <= Math.min(probes, steps);
  const quadratures = await spectralQuadratures(block, {
    steps,
    probes: exact ? unitVectors(block) : probes,
    random: rng(seed, "curvature", "layer spectrum", name),
  });
  const estimate = renyiSharpness(quadratures, block.dim);
  return exact ? { ...estimate, stderr: 0 } : estimate;
}
