import type { Emitter } from "../tensor.ts";
import type { Tensor } from "../tensor.ts";
import type { ConvAttrs } from "./conv-attrs.ts";

/**
 * The convolution ops as ONNX's own Conv and ConvTranspose in NCHW, for devices whose kernels are good at them. On the CPU
 * the lowerings in src/onnx/lower replace the ops before they are emitted.
 */
const swapPairs = [2, 3, 0, 1]; // [H, W, N, C] ↔ [N, C, H, W]
const channelsOut = [3, 2, 0, 1]; // [a, b, C, K] → [K, C, a, b]

const pads = ({ padding: [h, w] }: ConvAttrs) => [h, w, h, w];
const transposed = (emitter: Emitter, x: string, perm: readonly number[]) => emitter.node("Transpose", [x], { perm });

export function emitConv(emitter: Emitter, [x, w]: readonly string[], _: Tensor, attrs: ConvAttrs): string {
  const operands = [transposed(emitter, x!, swapPairs), transposed(emitter, w!, channelsOut)];
  const y = emitter.node("Conv", operands, { strides: attrs.stride, pads: pads(attrs), kernel_shape: attrs.kernel });
  return transposed(emitter, y, swapPairs);
}

export function emitConvInput(emitter: Emitter, [y, w]: readonly string[], node: Tensor, attrs: ConvAttrs): string {
  const { size, kernel, stride, padding } = attrs;
  const output = node.inputs[0]!.shape;
  const missing = ([0, 1] as const).map(
    (axis) => size[axis] - ((output[axis]! - 1) * stride[axis] + kernel[axis] - 2 * padding[axis]),
  );
  const operands = [transposed(emitter, y!, swapPairs), transposed(emitter, w!, channelsOut)];
  const x = emitter.node("ConvTranspose", operands, {
    strides: stride,
    pads: pads(attrs),
    kernel_shape: kernel,
    output_padding: missing,
  });
  return transposed(emitter, x, swapPairs);
}

/** Batch and channels change roles: x becomes C images of N channels, y a bank of K kernels, dilated by the stride. */
export function emitConvWeight(emitter: Emitter, [x, y]: readonly string[], node: Tensor, attrs: ConvAttrs): string {
  const output = node.inputs[1]!.shape;
  const operands = [transposed(emitter, x!, channelsOut), transposed(emitter, y!, channelsOut)];
  const w = emitter.node("Conv", operands, {
    dilations: attrs.stride,
    pads: pads(attrs),
    kernel_shape: output.slice(0, 2),
  });
  // Where the stride does not divide the padded size, rows and columns that no output saw come out as well.
  const exact = emitter.node("Slice", [w, emitter.ints([0, 0]), emitter.ints(attrs.kernel), emitter.ints([2, 3])]);
  return transposed(emitter, exact, swapPairs);
}
