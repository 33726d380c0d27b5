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
 * A bilinear algorithm spread over a whole axis: y = Aᵀ[(G w) ⊙ (Bᵀ x)] for all tiles at once. Transformed coordinates
 * are ordered (block, rank index, tile in block): Aᵀ is block-diagonal, so one small matrix serves every block, and
 * equal rank indices of one block lie together, which makes the products over channels large.
 */
export interface AxisPlan {
  readonly blocks: number;
  readonly rank: number;
  readonly tilesPerBlock: number;
  readonly outputs: number;
  /** Bᵀ over the whole axis [blocks·rank·tiles × length], and its transpose. Padding is inside it, as missing columns. */
  readonly Bt: Tensor;
  readonly B: Tensor;
  /** Aᵀ of one block [outputs / blocks × rank·tiles], and its transpose. */
  readonly At: Tensor;
  readonly A: Tensor;
  readonly G: Matrix;
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

export function planAxis(axis: AxisGeometry, m: number, tilesPerBlockWanted: number, dtype: DType): AxisPlan {
  const outputs = outputLength(axis);
  const tiles = Math.ceil(outputs / m);
  // A last tile that sticks out spoils the pattern of equal blocks: then there is one block.
  const tilesPerBlock = outputs % m === 0 ? smallestDivisorFrom(tiles, tilesPerBlockWanted) : tiles;
  const blocks = tiles / tilesPerBlock;

  const At: number[][] = Array.from({ length: outputs / blocks }, () => []);
  const Bt: number[][] = [];
  const G: number[][] = [];
  const algorithms = phases(axis).map((p) => ({ ...p, ...toomCook(m, p.taps) }));
  for (const { phase, G: rows } of algorithms)
    for (const row of rows) {
      const taps = new Array<number>(axis.kernel).fill(0);
      row.forEach((value, j) => {
        taps[phase + j * axis.stride] = value;
      });
      G.push(taps);
    }
  for (let block = 0; block < blocks; block++)
    for (const { phase, Bt: rows } of algorithms)
      for (const row of rows)
        for (let tile = 0; tile < tilesPerBlock; tile++) {
          const first = (block * tilesPerBlock + tile) * m;
          const line = new Array<number>(axis.length).fill(0);
          row.forEach((value, u) => {
            const at = axis.stride * (first + u) + phase - axis.padding;
            if (at >= 0 && at < axis.length) line[at] = value;
          });
          Bt.push(line);
        }
  for (const { At: rows } of algorithms)
    for (let i = 0; i < rows[0]!.length; i++)
      for (let tile = 0; tile < tilesPerBlock; tile++)
        At.forEach((line, o) => {
          line.push(Math.floor(o / m) === tile ? rows[o % m]![i]! : 0);
        });
  return {
    blocks,
    rank: G.length,
    tilesPerBlock,
    outputs,
    Bt: matrix(Bt, dtype),
    B: matrix(transposed(Bt), dtype),
    At: matrix(At, dtype),
    A: matrix(transposed(At), dtype),
    G,
  };
}

export const matrix = (rows: Matrix, dtype: DType): Tensor =>
  constant(Float64Array.from(rows.flat()), [rows.length, rows[0]!.length], dtype);

export const transposed = (rows: Matrix): number[][] => rows[0]!.map((_, j) => rows.map((row) => row[j]!));

/** The Kronecker product: (A ⊗ B)[i·p + k, j·q + l] = A[i, j]·B[k, l]. */
export const kronecker = (a: Matrix, b: Matrix): number[][] =>
  a.flatMap((rowA) => b.map((rowB) => rowA.flatMap((x) => rowB.map((y) => x * y))));

function smallestDivisorFrom(n: number, wanted: number): number {
  for (let d = Math.max(1, wanted); d < n; d++) if (n % d === 0) return d;
  return n;
}
