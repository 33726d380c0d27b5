import { interpolationMatrix } from "../nn/resize.ts";
import type { Model } from "../nn/scope.ts";
import type { SafeTensor } from "../util/safetensors.ts";

type Tensors = Readonly<Record<string, SafeTensor>>;

const POSITIONS = "encoder.pos_embedding";

/** Position embeddings of a square grid of patches, resized bicubically to the grid of the model's images where that is another. */
export function withPositions(
  tensors: Tensors,
  { parameters, inputShape }: Model,
  resize?: number,
): { tensors: Tensors; notes: string[] } {
  const given = tensors[POSITIONS];
  const shapeOf = (name: string) => parameters.entries.find((entry) => entry.name === name)?.shape;
  const [own, kernel] = [shapeOf(POSITIONS), shapeOf("conv_proj.weight")];
  const [, length = 0, width = 0] = given?.shape ?? [];
  const side = Math.sqrt(length - 1);
  if (own === undefined || kernel === undefined || !(given?.data instanceof Float32Array))
    return { tensors, notes: [] };
  if (own[1] === length || own[2] !== width || given.shape.length !== 3 || !Number.isInteger(side) || side < 1)
    return { tensors, notes: [] };
  const [rows, columns] = [(resize ?? inputShape[2]!) / kernel[2]!, (resize ?? inputShape[3]!) / kernel[3]!];
  const data = resized(given.data, side, rows, columns, width);
  return {
    tensors: { ...tensors, [POSITIONS]: { dtype: "F32", shape: own, data } },
    notes: [`position embeddings of ${side}×${side} patches are interpolated to ${rows}×${columns}, bicubically`],
  };
}

/** The class token's, and then row by row, each place the weighted sum of those around it. */
function resized(data: Float32Array, side: number, rows: number, columns: number, width: number): Float32Array {
  const [down, across] = [interpolationMatrix(side, rows, "bicubic"), interpolationMatrix(side, columns, "bicubic")];
  const result = new Float32Array((1 + rows * columns) * width);
  result.set(data.subarray(0, width));
  for (let k = 0; k < width; k++)
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++) {
        let total = 0;
        for (let r = 0; r < side; r++)
          for (let c = 0; c < side; c++) {
            const weight = down[i * side + r]! * across[j * side + c]!;
            if (weight !== 0) total += weight * data[(1 + r * side + c) * width + k]!;
          }
        result[(1 + i * columns + j) * width + k] = total;
      }
  return result;
}
