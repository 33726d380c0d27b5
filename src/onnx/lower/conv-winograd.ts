import { type FilterBankAttrs, filterBank, filterBankByWindows } from "../../graph/ops/filter-bank.ts";
import { matmul } from "../../graph/ops/matmul.ts";
import { reshape } from "../../graph/ops/reshape.ts";
import { constant } from "../../graph/ops/source.ts";
import { take } from "../../graph/ops/take.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { sizeOf } from "../../util/shape.ts";
import { type AxisPlan, type Bank, kronecker, matrix, range, type Scatter, transposed } from "./axis-plan.ts";

/**
 * Convolution by a bilinear algorithm on each axis (Winograd's, for 3×3). All three contractions of the trilinear form use the
 * same transforms and their adjoints, so a gradient and its Hessian-vector products share them:
 *
 *     x̂ = Bᵀx    ŷ = A y    ŵ = G w        y = Aᵀ(x̂·ŵ)    x = B(ŷ·ŵᵀ)    w = Gᵀ(x̂ᵀ·ŷ)
 *
 * With activations [H, W, N, C] a transform of one axis is a small matrix from the left, over everything to its right; nothing is
 * transposed. Bᵀ and A are Conv along the axis, which finds its windows and their padding by itself. Transformed tensors are
 * [rank index of rows and columns; tiles and images; channels], so that a product over channels is as large as it can be.
 */
export interface ConvPlan {
  readonly rows: AxisPlan;
  readonly columns: AxisPlan;
  readonly Bt: Analysis;
  readonly A: Analysis;
  /** The weight transform: G for rows ⊗ G for columns, and its transpose. */
  readonly G: Tensor;
  readonly Gt: Tensor;
  /** The place of every output among the tiles' outputs: [output in tile; tile], rows before columns. */
  readonly outputs: Int32Array;
  /** The transformed coordinates that B reads, along the rows and then along the columns. */
  readonly scatterRows: Int32Array;
  readonly scatterColumns: Int32Array;
}

/** A transform of both axes: the rows first, or all in one pass. */
interface Analysis {
  readonly rows?: Pass;
  readonly rest: Pass;
}

/** One `filterBank`: its filters and where they are applied. */
interface Pass {
  readonly filters: Tensor;
  readonly attrs: FilterBankAttrs;
}

export function convPlan(rows: AxisPlan, columns: AxisPlan, dtype: Tensor["dtype"]): ConvPlan {
  const both = kronecker(rows.G, columns.G);
  const ranks = range(columns.rank);
  const [m, n] = [rows.At.shape[0]!, columns.At.shape[0]!];
  return {
    rows,
    columns,
    Bt: analysis(rows.Bt, columns.Bt, dtype),
    A: analysis(rows.A, columns.A, dtype),
    G: matrix(both, dtype),
    Gt: matrix(transposed(both), dtype),
    outputs: Int32Array.from(
      range(rows.outputs).flatMap((h) =>
        range(columns.outputs).map((w) => {
          const inTile = (h % m) * n + (w % n);
          return (inTile * rows.tiles + Math.floor(h / m)) * columns.tiles + Math.floor(w / n);
        }),
      ),
    ),
    scatterRows: Int32Array.from(
      rows.B.coordinates.flatMap(([r, tile]) => ranks.map((s) => (r * columns.rank + s) * rows.tiles + tile)),
    ),
    scatterColumns: Int32Array.from(
      range(rows.length).flatMap((h) =>
        columns.B.coordinates.map(([s, tile]) => (h * columns.rank + s) * columns.tiles + tile),
      ),
    ),
  };
}

export const winogradConv = (x: Tensor, w: Tensor, plan: ConvPlan): Tensor =>
  outputsOf(matmul(transformInput(x, plan), transformWeight(w, plan)), x.shape[2]!, plan);

export const winogradConvInput = (y: Tensor, w: Tensor, plan: ConvPlan): Tensor =>
  inputsOf(matmul(transformOutput(y, plan), transformWeight(w, plan), { transB: true }), y.shape[2]!, plan);

export function winogradConvWeight(x: Tensor, y: Tensor, plan: ConvPlan, kernel: readonly [number, number]): Tensor {
  const [channels, filters] = [x.shape[3]!, y.shape[3]!];
  const products = matmul(transformInput(x, plan), transformOutput(y, plan), { transA: true });
  const w = matmul(plan.Gt, reshape(products, [products.shape[0]!, channels * filters]));
  return reshape(w, [...kernel, channels, filters]);
}

/** More taps in one pass cost more arithmetic than the second pass over memory that they save. */
const MOST_TAPS = 16;

function analysis(rows: Bank, columns: Bank, dtype: Tensor["dtype"]): Analysis {
  const pass = (down: Bank, across: Bank): Pass => ({
    filters: constant(
      Float64Array.from(kronecker(down.filters, across.filters).flat()),
      [down.filters.length * across.filters.length, 1, tapsOf(down), tapsOf(across), 1],
      dtype,
    ),
    attrs: {
      step: [down.step, across.step],
      before: [down.before, across.before],
      windows: [down.windows, across.windows],
    },
  });
  if (tapsOf(rows) * tapsOf(columns) <= MOST_TAPS) return { rest: pass(rows, columns) };
  const untouched = (windows: number): Bank => ({ filters: [[1]], step: 1, before: 0, windows });
  return { rows: pass(rows, untouched(1)), rest: pass(untouched(rows.windows), columns) };
}

const tapsOf = ({ filters }: Bank): number => filters[0]!.length;

/** x̂ = Bᵀ x on both axes. */
const transformInput = (x: Tensor, { Bt }: ConvPlan): Tensor => analyse(x, Bt);

/** ŷ = A y on both axes. */
const transformOutput = (y: Tensor, { A }: ConvPlan): Tensor => analyse(y, A);

function analyse(x: Tensor, { rows, rest }: Analysis): Tensor {
  const [height, width, batch, channels] = x.shape as [number, number, number, number];
  const line = batch * channels;
  const down = rows
    ? through(rows, reshape(x, [1, 1, height, 1, width * line]))
    : reshape(x, [1, 1, height, width * line]);
  const [, ranks, left] = down.shape as [number, number, number];
  const both = through(rest, reshape(down, [ranks, 1, left, width, line]));
  return reshape(both, [ranks * both.shape[1]!, -1, channels]);
}

/** A kernel of one tap has one filter, the number 1. */
function through({ filters, attrs }: Pass, x: Tensor): Tensor {
  if (sizeOf(filters.shape) === 1 && attrs.step.every((step) => step === 1)) return x;
  return x.dtype === "f64" ? filterBankByWindows(x, filters, attrs) : filterBank(x, filters, attrs);
}

/** y = Aᵀ m on both axes, each output then moved from its place in its tile to its place in the image. */
function outputsOf(products: Tensor, batch: number, { rows, columns, outputs }: ConvPlan): Tensor {
  const channels = products.shape.at(-1)!;
  const line = batch * channels;
  const tiles = rows.tiles * columns.tiles * line;
  const down = matmul(rows.At, reshape(products, [rows.rank, columns.rank * tiles]));
  const across = matmul(columns.At, reshape(down, [down.shape[0]!, columns.rank, tiles]));
  const inPlace = takeRows(reshape(across, [-1, line]), outputs);
  return reshape(inPlace, [rows.outputs, columns.outputs, batch, channels]);
}

/** x = B m on both axes, the adjoint of Bᵀ: each group of positions from the coordinates whose windows it lies in. */
function inputsOf(products: Tensor, batch: number, { rows, columns, scatterRows, scatterColumns }: ConvPlan): Tensor {
  const channels = products.shape.at(-1)!;
  const line = batch * channels;
  const byRow = takeRows(reshape(products, [-1, columns.tiles * line]), scatterRows);
  const down = gather(rows.B, reshape(byRow, [rows.B.groups, rows.B.width, -1]));
  const byColumn = takeRows(reshape(down, [-1, line]), scatterColumns);
  const across = gather(columns.B, reshape(byColumn, [rows.length, columns.B.groups, columns.B.width, line]));
  return reshape(across, [rows.length, columns.length, batch, channels]);
}

const gather = ({ groups, matrix }: Scatter, coordinates: Tensor): Tensor =>
  groups === 1 && coordinates.shape.length === 3
    ? matmul(reshape(matrix, matrix.shape.slice(1)), reshape(coordinates, coordinates.shape.slice(1)))
    : matmul(matrix, coordinates);

const takeRows = (x: Tensor, rows: Int32Array): Tensor =>
  rows.length === x.shape[0] && rows.every((row, i) => row === i) ? x : take(x, 0, rows);

/** ŵ = G w, one matrix product for both axes. */
function transformWeight(w: Tensor, { G }: ConvPlan): Tensor {
  const [channels, filters] = w.shape.slice(2) as [number, number];
  const transformed = matmul(G, reshape(w, [sizeOf(w.shape.slice(0, 2)), channels * filters]));
  return reshape(transformed, [G.shape[0]!, channels, filters]);
}
