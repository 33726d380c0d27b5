import type { EigenPair } from "../spectrum/extremes.ts";
import { addScaled, inner, normalized, type Vector, zeros } from "../spectrum/vectors.ts";
import type { Layout } from "../nn/layout.ts";
import { ConfigError } from "../util/errors.ts";
import { rng } from "../util/rng.ts";
import type { Meter } from "./meter.ts";
import type { LossSlice } from "./result.ts";

export const sliceDirections = ["g", "v1", "v2", "random"] as const;

export type SliceDirection = (typeof sliceDirections)[number];

export interface SliceRequest {
  /** One for a curve, two for a plane. */
  readonly directions: readonly SliceDirection[];
  /** Farthest point along each, of the direction's own length; left out, 0.5 along unit vectors and 1 along random ones. */
  readonly range?: number;
  /** Points along each direction; left out, 41 on a curve and 17 × 17 in a plane. */
  readonly points?: number;
}

interface Known {
  readonly gradient: Vector;
  readonly top: readonly EigenPair[];
}

const RANGE = { unit: 0.5, random: 1 } as const;
const POINTS = [41, 17] as const;

/**
 * f(θ + a·d) or f(θ + a·d + b·e) on an even grid. Directions are the unit gradient ĝ, top eigenvectors, and random ones, whose
 * filters have the norms of the network's (Li et al. 2018), so that their scale means the same for any weights. Where it is
 * stopped, the points that are left are NaN.
 */
export async function lossSlice(
  meter: Meter,
  layout: Layout,
  { directions, range, points, seed }: SliceRequest & { readonly seed: number },
  known: Known,
): Promise<LossSlice> {
  const { loss, theta, stop } = meter;
  const vectors = directions.map((direction, i) => vectorOf(direction, i, layout, theta, seed, known));
  // The second of two unit vectors is made orthogonal to the first, so that the plane's angles are true.
  if (vectors.length === 2 && !directions.includes("random")) {
    addScaled(vectors[1]!, -inner(vectors[0]!, vectors[1]!), vectors[0]!);
    vectors[1] = normalized(vectors[1]!);
  }
  const reach = range ?? (directions.includes("random") ? RANGE.random : RANGE.unit);
  const count = points ?? POINTS[directions.length - 1]!;
  const coordinates = Array.from({ length: count }, (_, i) => reach * ((2 * i) / (count - 1) - 1));
  const total = count ** vectors.length;
  const hessian = loss.hessian(theta, undefined, stop);
  const images = await Promise.all(vectors.map((v) => hessian.apply(v)));
  const values = new Array<number>(total).fill(Number.NaN);
  await meter.unlessStopped("slices", async () => {
    for (let i = 0; i < total; i++) {
      stop?.throwIfAborted();
      const point = theta.slice() as Vector;
      addScaled(point, coordinates[i % count]!, vectors[0]!);
      if (vectors[1]) addScaled(point, coordinates[Math.floor(i / count)]!, vectors[1]);
      values[i] = await loss.loss(point);
      meter.listen({ part: "slice", done: i + 1, of: total });
    }
  });
  return {
    directions,
    coordinates,
    loss: values,
    slope: vectors.map((v) => inner(v, known.gradient)),
    curvature: vectors.map((v, i) => inner(v, images[i]!)),
  };
}

/** Throws, before anything is computed, where a slice could not be made with the eigenvectors that will be there. */
export function assertDrawable({ directions, points = 2 }: SliceRequest, top: number): void {
  const named = directions.join(",");
  if (directions.length < 1 || directions.length > 2)
    throw new ConfigError(`a slice along ${named}: ${directions.length} directions`, { directions }, "give one or two");
  if (directions[0] === directions[1] && directions[0] !== "random")
    throw new ConfigError(`a slice along ${named} is no plane`, { directions }, "give two different directions");
  const needed = directions.includes("v2") ? 2 : directions.includes("v1") ? 1 : 0;
  if (needed > top)
    throw new ConfigError(
      `a slice along ${named} needs ${needed} top eigenvectors, and ${top} were asked for`,
      { directions, top },
      `add --top ${needed}`,
    );
  if (points < 2) throw new ConfigError(`a slice of ${points} point`, { points }, "give two or more");
}

function vectorOf(
  direction: SliceDirection,
  index: number,
  layout: Layout,
  theta: Vector,
  seed: number,
  { gradient, top }: Known,
): Vector {
  if (direction === "g") return normalized(gradient);
  if (direction === "random") return filterNormalized(layout, theta, seed, index);
  return top[direction === "v1" ? 0 : 1]!.vector.slice() as Vector;
}

/** A Gaussian vector; every filter (row of PyTorch's weight) is scaled to the norm of θ's, vectors such as biases and batch norm's are 0. */
export function filterNormalized({ entries }: Layout, theta: Vector, seed: number, index: number): Vector {
  const result = zeros(theta.length, theta instanceof Float64Array ? "f64" : "f32");
  for (const { name, shape, order, offset, size } of entries) {
    if (shape.length < 2) continue;
    const random = rng(seed, "slice", index, name);
    const filters = shape[0]!;
    // Stored as PyTorch stores it, a filter is a run of numbers; with another order its axis is the last (see conv in nn/layers.ts).
    const filterLast = order !== undefined && order.at(-1) === 0;
    const each = size / filters;
    for (let filter = 0; filter < filters; filter++) {
      const at = (i: number) => offset + (filterLast ? i * filters + filter : filter * each + i);
      let [own, theirs] = [0, 0];
      for (let i = 0; i < each; i++) {
        const value = random.normal();
        result[at(i)] = value;
        own += value * value;
        theirs += theta[at(i)]! ** 2;
      }
      const scale = Math.sqrt(theirs / own);
      for (let i = 0; i < each; i++) result[at(i)]! *= scale;
    }
  }
  return result;
}
