import { filterBank, filterBankByWindows } from "../../graph/ops/filter-bank.ts";
import { matmul } from "../../graph/ops/matmul.ts";
import { reshape } from "../../graph/ops/reshape.ts";
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
  /** The weight transform: G for rows ⊗ G for columns, and its transpose. */
  readonly G: Tensor;
  readonly Gt: Tensor;
  /** The place of every output among the tiles' outputs: [output in tile; tile], rows before columns. */
  readonly outputs: Int32Array;
  /** The transformed coordinates that B reads, along the rows and then along the columns. */
  readonly scatterRows: Int32Array;
  readonly scatterColumns: Int32Array;
}

export function convPlan(rows: AxisPlan, columns: AxisPlan, dtype: Tensor["dtype"]): ConvPlan {
  const both = kronecker(rows.G, columns.G);
  const ranks = range(columns.rank);
  const [m, n] = [rows.At.shape[0]!, columns.At.shape[0]!];
  return {
    rows,
    columns,
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

/** x̂ = Bᵀ x on both axes. */
const transformInput = (x: Tensor, { rows, columns }: ConvPlan): Tensor => analyse(x, rows.Bt, columns.Bt);

/** ŷ = A y on both axes. */
const transformOutput = (y: Tensor, { rows, columns }: ConvPlan): Tensor => analyse(y, rows.A, columns.A);

function analyse(x: Tensor, rows: Bank, columns: Bank): Tensor {
  const [height, width, batch, channels] = x.shape as [number, number, number, number];
  const line = batch * channels;
  const down = through(rows, reshape(x, [1, 1, 1, height, width * line]));
  const across = through(columns, reshape(down, [down.shape[1]!, 1, rows.windows, width, line]));
  return reshape(across, [-1, rows.windows * columns.windows * batch, channels]);
}

/** A kernel of one tap has one filter, the number 1. */
function through({ filters, ...attrs }: Bank, x: Tensor): Tensor {
  if (sizeOf(filters.shape) === 1 && attrs.step === 1) return x;
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
