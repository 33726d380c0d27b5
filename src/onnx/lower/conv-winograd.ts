import { matmul } from "../../graph/ops/matmul.ts";
import { reshape } from "../../graph/ops/reshape.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { sizeOf } from "../../util/shape.ts";
import { type AxisPlan, kronecker, matrix, transposed } from "./axis-plan.ts";

/**
 * Convolution by a bilinear algorithm on each axis (Winograd's, for 3×3), as matrix products alone. With activations
 * [H, W, N, C] the transform of an axis is one constant matrix from the left, over everything to its right: no gathering, no
 * padding copies, no transposition. All three contractions of the trilinear form use the same transforms and
 * their adjoints, so a gradient and its Hessian-vector products share them:
 *
 *     x̂ = Bᵀx    ŷ = A y    ŵ = G w        y = Aᵀ(x̂·ŵ)    x = B(ŷ·ŵᵀ)    w = Gᵀ(x̂ᵀ·ŷ)
 */
export interface ConvPlan {
  readonly rows: AxisPlan;
  readonly columns: AxisPlan;
  /** The weight transform: G for rows ⊗ G for columns. */
  readonly G: Tensor;
  /** Its transpose with every column repeated for each tile: applied to the products of all tiles it also sums them. */
  readonly Gt: Tensor;
}

export function convPlan(rows: AxisPlan, columns: AxisPlan, dtype: Tensor["dtype"]): ConvPlan {
  const both = kronecker(rows.G, columns.G);
  const perTile = rankIndices(rows).flatMap((i) => rankIndices(columns, 1).map((j) => both[i * columns.rank + j]!));
  return { rows, columns, G: matrix(both, dtype), Gt: matrix(transposed(perTile), dtype) };
}

/** The rank index of each transformed coordinate, in the order (block, rank index, tile). */
const rankIndices = ({ blocks, rank, tilesPerBlock }: AxisPlan, tiles = tilesPerBlock): number[] =>
  Array.from({ length: blocks * rank * tiles }, (_, at) => Math.floor(at / tiles) % rank);

export function winogradConv(x: Tensor, w: Tensor, plan: ConvPlan): Tensor {
  return fromProducts(matmul(transformInput(x, plan), transformWeight(w, plan)), plan);
}

export function winogradConvInput(y: Tensor, w: Tensor, plan: ConvPlan, size: readonly [number, number]): Tensor {
  const products = matmul(transformOutput(y, plan), transformWeight(w, plan), { transB: true });
  const [batch, channels] = [y.shape[2]!, w.shape[2]!];
  const { rows, columns } = plan;
  const across = matmul(columns.B, reshape(products, [extent(rows), extent(columns), batch * channels]));
  const down = matmul(rows.B, reshape(across, [extent(rows), size[1] * batch * channels]));
  return reshape(down, [...size, batch, channels]);
}

export function winogradConvWeight(x: Tensor, y: Tensor, plan: ConvPlan, kernel: readonly [number, number]): Tensor {
  const { rows, columns, Gt } = plan;
  const [channels, filters] = [x.shape[3]!, y.shape[3]!];
  const perTile = matmul(transformInput(x, plan), transformOutput(y, plan), { transA: true });
  const w = matmul(Gt, reshape(perTile, [extent(rows) * columns.blocks * columns.rank, channels * filters]));
  return reshape(w, [...kernel, channels, filters]);
}

const extent = ({ blocks, rank, tilesPerBlock }: AxisPlan) => blocks * rank * tilesPerBlock;

/** [rows: block, rank, tile; columns: block, rank; (tile, batch); channels], ready for products over channels. */
const productShape = ({ rows, columns }: ConvPlan, batch: number, channels: number): number[] => [
  rows.blocks,
  rows.rank,
  rows.tilesPerBlock,
  columns.blocks,
  columns.rank,
  columns.tilesPerBlock * batch,
  channels,
];

/** x̂ = Bᵀ x on both axes. */
function transformInput(x: Tensor, plan: ConvPlan): Tensor {
  const [height, width, batch, channels] = x.shape as [number, number, number, number];
  const { rows, columns } = plan;
  const down = matmul(rows.Bt, reshape(x, [height, width * batch * channels]));
  const across = matmul(columns.Bt, reshape(down, [extent(rows), width, batch * channels]));
  return reshape(across, productShape(plan, batch, channels));
}

/** ŷ = A y on both axes, block by block. */
function transformOutput(y: Tensor, plan: ConvPlan): Tensor {
  const [height, width, batch, channels] = y.shape as [number, number, number, number];
  const { rows, columns } = plan;
  const line = batch * channels;
  const down = matmul(rows.A, reshape(y, [rows.blocks, height / rows.blocks, width * line]));
  const across = matmul(columns.A, reshape(down, [extent(rows) * columns.blocks, width / columns.blocks, line]));
  return reshape(across, productShape(plan, batch, channels));
}

/** y = Aᵀ m on both axes, the adjoint of transformOutput. */
function fromProducts(products: Tensor, { rows, columns }: ConvPlan): Tensor {
  const channels = products.shape.at(-1)!;
  const batch = products.shape.at(-2)! / columns.tilesPerBlock;
  const line = batch * channels;
  const across = matmul(
    columns.At,
    reshape(products, [extent(rows) * columns.blocks, columns.rank * columns.tilesPerBlock, line]),
  );
  const down = matmul(rows.At, reshape(across, [rows.blocks, rows.rank * rows.tilesPerBlock, columns.outputs * line]));
  return reshape(down, [rows.outputs, columns.outputs, batch, channels]);
}

/** ŵ = G w, one matrix product for both axes. */
function transformWeight(w: Tensor, { rows, columns, G }: ConvPlan): Tensor {
  const [channels, filters] = w.shape.slice(2) as [number, number];
  const transformed = matmul(G, reshape(w, [sizeOf(w.shape.slice(0, 2)), channels * filters]));
  return reshape(transformed, [1, rows.rank, 1, 1, columns.rank, channels, filters]);
}
