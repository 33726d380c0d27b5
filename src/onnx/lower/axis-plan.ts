import { constant } from "../../graph/ops/source.ts";
import type { DType, Tensor } from "../../graph/tensor.ts";
import { type Matrix, MAX_RANK, toomCook } from "./toom-cook.ts";

/** One axis of a convolution. */
export interface AxisGeometry {
  readonly length: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
}

/**
 * A bilinear algorithm applied along an axis in tiles of m outputs: y = Aᵀ[(G w) ⊙ (Bᵀ x)] in each. Transformed coordinates are
 * ordered (rank index, tile), so that equal rank indices of all tiles lie together.
 *
 * An example, F(2,3): 3 taps w₀ w₁ w₂ and padding 1 on the 4 positions x₀…x₃ make 4 outputs, in 2 tiles of m = 2. Tile 0 reads
 * x₋₁…x₂ and tile 1 reads x₁…x₄, where x₋₁ = x₄ = 0. Each takes r = 4 multiplications instead of 6, with
 *
 *     Bᵀ = −1  0  1  0     G = −1  0  0     Aᵀ = 1  1  1  0
 *           0  1  1  0          ½  ½  ½          0  1 −1  1
 *           0 −1  1  0          ½ −½  ½
 *           0 −1  0  1          0  0  1
 *
 * The first output of a tile that reads a b c d is the first three products,
 * −w₀(c − a) + ½(w₀ + w₁ + w₂)(b + c) + ½(w₀ − w₁ + w₂)(c − b) = w₀a + w₁b + w₂c. The 8 transformed coordinates are
 * (0, tile 0), (0, tile 1), (1, tile 0), … : `tiles` is 2 and `rank` is 4.
 */
export interface AxisPlan {
  readonly length: number;
  readonly outputs: number;
  readonly tiles: number;
  readonly rank: number;
  /** Bᵀ: the window of inputs each tile reads, through one filter per rank index. Padding lies outside the axis. */
  readonly Bt: Bank;
  /** A: the outputs of each tile, through one filter per rank index. */
  readonly A: Bank;
  /** Aᵀ [m × rank], the same for every tile. */
  readonly At: Tensor;
  readonly B: Scatter;
  readonly G: Matrix;
}

/** One filter per row, and the windows of the axis they are applied to; see `filterBank`. */
export interface Bank extends Windows {
  readonly filters: Matrix;
}

interface Windows {
  readonly step: number;
  readonly before: number;
  readonly windows: number;
}

/**
 * B, the adjoint of Bᵀ: neighbouring windows overlap, so the inputs are made in groups of positions, each from the coordinates
 * (rank index, tile) that touch it.
 */
export interface Scatter {
  readonly groups: number;
  /** Coordinates per group, and all of them, group after group. */
  readonly width: number;
  readonly coordinates: readonly (readonly [rankIndex: number, tile: number])[];
  /** [groups × positions × width], with zeros where a coordinate does not exist. */
  readonly matrix: Tensor;
}

export const outputLength = ({ length, kernel, stride, padding }: AxisGeometry): number =>
  Math.floor((length + 2 * padding - kernel) / stride) + 1;

/** The kernel's taps by their position modulo the stride: a strided convolution is a sum of plain ones, one per phase. */
const phases = ({ kernel, stride }: AxisGeometry): { readonly phase: number; readonly taps: number }[] =>
  Array.from({ length: Math.min(stride, kernel) }, (_, phase) => ({
    phase,
    taps: Math.ceil((kernel - phase) / stride),
  }));

/** Multiplications per tile of m outputs, or undefined where no algorithm is known. */
export function rankOf(axis: AxisGeometry, m: number): number | undefined {
  const ranks = phases(axis).map(({ taps }) => m + taps - 1);
  return ranks.some((r, i) => r > MAX_RANK && phases(axis)[i]!.taps > 1) ? undefined : ranks.reduce((a, b) => a + b, 0);
}

export function planAxis(axis: AxisGeometry, m: number, dtype: DType): AxisPlan {
  const { length, kernel, stride, padding } = axis;
  const outputs = outputLength(axis);
  const tiles = Math.ceil(outputs / m);
  const step = stride * m;
  // At least up to the end of the axis, where the last positions are read by no output.
  const window = Math.max(stride * (m - 1) + kernel, length + padding - step * (tiles - 1));

  const G: number[][] = [];
  const Bt: number[][] = [];
  const At: number[][] = Array.from({ length: m }, () => []);
  for (const { phase, taps } of phases(axis)) {
    const algorithm = toomCook(m, taps);
    G.push(...algorithm.G.map((row) => spaced(row, phase, stride, kernel)));
    Bt.push(...algorithm.Bt.map((row) => spaced(row, phase, stride, window)));
    for (const [i, row] of algorithm.At.entries()) At[i]!.push(...row);
  }
  return {
    length,
    outputs,
    tiles,
    rank: G.length,
    Bt: { filters: Bt, step, before: padding, windows: tiles },
    A: { filters: transposed(At), step: m, before: 0, windows: tiles },
    At: matrix(At, dtype),
    B: scatter(Bt, { step, before: padding, windows: tiles }, length, dtype),
    G,
  };
}

/** `row` at every stride-th of `length` places from `phase` on. */
function spaced(row: readonly number[], phase: number, stride: number, length: number): number[] {
  const line = new Array<number>(length).fill(0);
  row.forEach((value, j) => {
    line[phase + j * stride] = value;
  });
  return line;
}

/** Tiles whose inputs are made together: with more, the matrix has more zeros; with fewer, more is gathered twice. */
const TILES_PER_GROUP = 2;

/** Up to this many tiles, one matrix for the whole axis costs less than gathering for several. */
const FEW_TILES = 4;

function scatter(Bt: Matrix, { step, before, windows }: Windows, length: number, dtype: DType): Scatter {
  const even = length === step * windows && windows % TILES_PER_GROUP === 0;
  const groups = even && windows > FEW_TILES ? windows / TILES_PER_GROUP : 1;
  const [tilesPerGroup, perGroup] = [windows / groups, length / groups];
  /** What coordinate (r, first tile of the group + d) adds to each position of the group. */
  const column = (group: number, [r, d]: readonly [number, number]): number[] => {
    const tile = group * tilesPerGroup + d;
    const exists = tile >= 0 && tile < windows;
    return range(perGroup).map((p) => (exists ? (Bt[r]![group * perGroup + p + before - step * tile] ?? 0) : 0));
  };
  const neighbours = range(2 * windows + 1).map((d) => d - windows);
  const touching = range(Bt.length)
    .flatMap((r) => neighbours.map((d) => [r, d] as const))
    .filter((at) => range(groups).some((group) => column(group, at).some((weight) => weight !== 0)));
  const within = (tile: number) => Math.min(Math.max(tile, 0), windows - 1);
  const matrices = range(groups).map((group) => transposed(touching.map((at) => column(group, at))));
  return {
    groups,
    width: touching.length,
    coordinates: range(groups).flatMap((group) =>
      touching.map(([r, d]) => [r, within(group * tilesPerGroup + d)] as const),
    ),
    matrix: constant(Float64Array.from(matrices.flat(2)), [groups, perGroup, touching.length], dtype),
  };
}

/** 0 … n-1. */
export const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

export const matrix = (rows: Matrix, dtype: DType): Tensor =>
  constant(Float64Array.from(rows.flat()), [rows.length, rows[0]!.length], dtype);

export const transposed = (rows: Matrix): number[][] => rows[0]!.map((_, j) => rows.map((row) => row[j]!));

/** The Kronecker product: (A ⊗ B)[i·p + k, j·q + l] = A[i, j]·B[k, l]. */
export const kronecker = (a: Matrix, b: Matrix): number[][] =>
  a.flatMap((rowA) => b.map((rowB) => rowA.flatMap((x) => rowB.map((y) => x * y))));
