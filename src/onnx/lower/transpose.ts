import { attrsOf } from "../../graph/op.ts";
import { transpose, transposeOp } from "../../graph/ops/arrange.ts";
import { reshape } from "../../graph/ops/reshape.ts";
import { sizeOf } from "../../util/shape.ts";
import type { Lowering } from "./lowering.ts";

/**
 * Axes that stay neighbours move as one. Where two groups change places it is the transposition of a matrix, for which ONNX
 * Runtime has a kernel of blocks; axis by axis it copies number after number (24 ns each).
 */
export const lowerTranspose: Lowering = (node) => {
  const x = node.inputs[0]!;
  const moving = attrsOf(transposeOp, node)!.perm.filter((axis) => x.shape[axis] !== 1);
  const first = moving.indexOf(Math.min(...moving));
  const turned = [...moving.slice(first), ...moving.slice(0, first)];
  if (turned.some((axis, i) => i > 0 && axis < turned[i - 1]!)) return undefined;
  if (first <= 0) return reshape(x, node.shape);
  if (x.shape.length === 2) return undefined;
  const columns = sizeOf(moving.slice(0, first).map((axis) => x.shape[axis]!));
  return reshape(transpose(reshape(x, [-1, columns]), [1, 0]), node.shape);
};
