import { ShapeError } from "../../util/errors.ts";
import { showShape, sizeOf } from "../../util/shape.ts";
import { apply, attrsOf, defineOp, sample } from "../op.ts";
import type { Emitter, Target, Tensor } from "../tensor.ts";
import { pad, transpose } from "./arrange.ts";
import { convOp, convWeightOp } from "./conv.ts";
import type { ConvAttrs } from "./conv-attrs.ts";
import { reshape } from "./reshape.ts";
import { take } from "./take.ts";

/** Zeros around the rows and columns of x. */
export interface BlockedConvAttrs {
  readonly before: readonly [number, number];
  readonly after: readonly [number, number];
}

/**
 * Convolution with stride 1 in the layout of ONNX Runtime's own convolution, whose channels stand in blocks of what one register
 * holds: x [C/B, H, W, N, B], w [K/B', C/B, kh, kw, B, B'] → y [K/B', H', W', N, B'] with H' = H + before + after − kh + 1. Blocks of one
 * channel are planes, which a convolution of fewer channels than a register holds reads.
 *
 * ONNX Runtime expects images [N, C/B, H, W, B]. All images are one here, H high and W·N wide: its columns are N apart, so the kernel is
 * dilated by N, and nothing is moved.
 */
export const blockedConvOp = defineOp<BlockedConvAttrs>({
  name: "blockedConv",
  shape: ([x, w], { before, after }) => {
    const [a, b] = [x!.shape, w!.shape];
    const [height, width] = outputSize(x!, w!, { before, after });
    const inside = ([...before, ...after] as const).every((zeros, i) => zeros >= 0 && zeros < b[2 + (i % 2)]!);
    if (a.length !== 5 || b.length !== 6 || a[0] !== b[1] || a[4] !== b[4] || !inside || height < 1 || width < 1)
      throw new ShapeError(
        `blockedConv: shapes ${showShape(a)} and ${showShape(b)} with ${before} zeros before and ${after} after, expected [C/B, H, W, N, B] and [K/B, C/B, kh, kw, B, B], and fewer zeros than taps`,
        { x: a, w: b, before, after },
      );
    return [b[0]!, height, width, a[3]!, b[5]!];
  },
  vjp: ({ g, inputs, attrs }) => {
    const [x, w] = inputs as [Tensor, Tensor];
    return [() => blockedConvInput(g, w, attrs), () => blockedConvWeight(x, g, w, attrs)];
  },
  multiplications: ([x, w], attrs) => sizeOf([...outputSize(x!, w!, attrs), x!.shape[3]!, ...w!.shape]),
  emit: (emitter, [x, w], node, attrs) => {
    const form = fitsBlocks(emitter.target, node) ? emitBlocked : emitStandard;
    return form(emitter, x!, w!, node, attrs);
  },
  // ONNX Runtime's blocks are of 16 channels or of 8, by processor: of these it computes one itself, the others are Conv.
  samples: [
    sample({ before: [1, 1], after: [1, 1] }, [1, 3, 2, 2, 16], [1, 1, 3, 3, 16, 16]),
    sample({ before: [0, 1], after: [0, 0] }, [2, 2, 2, 3, 1], [2, 2, 1, 2, 1, 16]),
    sample({ before: [0, 0], after: [0, 0] }, [16, 1, 1, 2, 1], [1, 16, 1, 1, 1, 16]),
    sample({ before: [1, 1], after: [1, 1] }, [1, 3, 2, 2, 8], [1, 1, 3, 3, 8, 8]),
    sample({ before: [0, 1], after: [0, 0] }, [2, 2, 2, 3, 1], [2, 2, 1, 2, 1, 8]),
    sample({ before: [1, 1], after: [0, 0] }, [2, 3, 4, 1, 3], [1, 2, 2, 2, 3, 3]),
  ],
});

function outputSize({ shape: x }: Tensor, { shape: w }: Tensor, { before, after }: BlockedConvAttrs): [number, number] {
  const along = (axis: 0 | 1) => x[1 + axis]! + before[axis] + after[axis] - w[2 + axis]! + 1;
  return [along(0), along(1)];
}

/** ONNX Runtime reads fewer channels than a block as planes, and any others as blocks of its own size. */
function fitsBlocks({ block }: Target, { inputs: [x], shape }: Tensor): boolean {
  const [channels, lanes] = [x!.shape[0]!, x!.shape[4]!];
  if (block === undefined || shape[4] !== block) return false;
  return lanes === block || (lanes === 1 && channels < block);
}

/** The shape that ONNX Runtime believes in: one image of W·N columns, and all channels in one axis. */
function emitBlocked(
  emitter: Emitter,
  x: string,
  w: string,
  node: Tensor,
  { before, after }: BlockedConvAttrs,
): string {
  const [image, bank] = [node.inputs[0]!.shape, node.inputs[1]!.shape] as [readonly number[], readonly number[]];
  const [blocks, height, width, batch, block] = image as [number, number, number, number, number];
  const [filters, , kh, kw, , lanes] = bank as [number, number, number, number, number, number];
  const operands = [
    emitter.node("Reshape", [x, emitter.shape([1, blocks * block, height, width * batch])]),
    emitter.node("Reshape", [w, emitter.shape([filters * lanes, blocks * block, kh, kw])]),
  ];
  const y = emitter.node(
    "Conv",
    operands,
    {
      kernel_shape: [kh, kw],
      dilations: [1, batch],
      pads: [before[0], before[1] * batch, after[0], after[1] * batch],
    },
    "com.microsoft.nchwc",
  );
  return emitter.node("Reshape", [y, emitter.shape(node.shape)]);
}

/** The same by ONNX's own Conv, for devices with other blocks. */
function emitStandard(
  emitter: Emitter,
  x: string,
  w: string,
  node: Tensor,
  { before, after }: BlockedConvAttrs,
): string {
  const [blocks, height, width, batch, block] = node.inputs[0]!.shape as [number, number, number, number, number];
  const [filters, , kh, kw, , lanes] = node.inputs[1]!.shape as [number, number, number, number, number, number];
  const reordered = (value: string, perm: readonly number[], shape: readonly number[]) =>
    emitter.node("Reshape", [emitter.node("Transpose", [value], { perm }), emitter.shape(shape)]);
  const image = reordered(x, [3, 0, 4, 1, 2], [batch, blocks * block, height, width]);
  const bank = reordered(w, [0, 5, 1, 4, 2, 3], [filters * lanes, blocks * block, kh, kw]);
  const y = emitter.node("Conv", [image, bank], { kernel_shape: [kh, kw], pads: [...before, ...after] });
  const [, rows, columns] = node.shape as [number, number, number];
  const apart = emitter.node("Reshape", [y, emitter.shape([batch, filters, lanes, rows, columns])]);
  return emitter.node("Transpose", [apart], { perm: [1, 3, 4, 0, 2] });
}

/** y of x and w; see blockedConvOp. */
export const blockedConv = (x: Tensor, w: Tensor, attrs: BlockedConvAttrs): Tensor =>
  apply(blockedConvOp, [x, w], attrs);

/** The adjoint in x: a convolution with the kernel turned around, and channels in and out exchanged. */
export function blockedConvInput(y: Tensor, w: Tensor, { before, after }: BlockedConvAttrs): Tensor {
  const [filters, blocks, kh, kw, block, lanes] = w.shape as [number, number, number, number, number, number];
  const taps = reshape(transpose(w, [1, 0, 2, 3, 5, 4]), [blocks, filters, kh * kw, lanes, block]);
  const backwards = Int32Array.from({ length: kh * kw }, (_, i) => kh * kw - 1 - i);
  const turned = reshape(take(taps, 2, backwards), [blocks, filters, kh, kw, lanes, block]);
  const rest = ([rows, columns]: readonly [number, number]) => [kh - 1 - rows, kw - 1 - columns] as const;
  return blockedConv(y, turned, { before: rest(before), after: rest(after) });
}

/** The adjoint in w. */
function blockedConvWeight(x: Tensor, y: Tensor, w: Tensor, zeros: BlockedConvAttrs): Tensor {
  const { image, attrs } = plain(x, w, zeros);
  return blockWeights(apply(convWeightOp, [image, fromBlocks(y)], attrs), w.shape[4]!, w.shape[5]!);
}

/** The same convolution of [H, W, N, C], as a node of conv2d: where there is no Conv. */
export function unblockedConv(node: Tensor): Tensor {
  const [x, w] = node.inputs as [Tensor, Tensor];
  const { image, attrs } = plain(x, w, attrsOf(blockedConvOp, node)!);
  const [, , kh, kw] = w.shape as [number, number, number, number];
  const weights = reshape(transpose(w, [2, 3, 1, 4, 0, 5]), [kh, kw, image.shape[3]!, -1]);
  return apply(convOp, [image, weights], attrs);
}

/** x as [H, W, N, C] with its zeros around it, and what a convolution with w then reads. */
function plain(x: Tensor, { shape }: Tensor, { before, after }: BlockedConvAttrs) {
  const image = pad(pad(fromBlocks(x), 0, before[0], after[0]), 1, before[1], after[1]);
  const attrs: ConvAttrs = {
    size: [image.shape[0]!, image.shape[1]!],
    kernel: [shape[2]!, shape[3]!],
    stride: [1, 1],
    padding: [0, 0],
  };
  return { image, attrs };
}

/** [H, W, N, C] → [C/block, H, W, N, block]; blocks of one channel are planes. */
export function toBlocks(x: Tensor, block: number): Tensor {
  const [height, width, batch, channels] = x.shape as [number, number, number, number];
  const blocked = [channels / block, height, width, batch, block];
  if (channels === block) return reshape(x, blocked);
  // As a rotation of axes it can meet the one that made x of PyTorch's images.
  if (block === 1) return reshape(transpose(x, [3, 0, 1, 2]), blocked);
  return reshape(transpose(reshape(x, [-1, channels / block, block]), [1, 0, 2]), blocked);
}

/** [C/B, H, W, N, B] → [H, W, N, C]. */
export function fromBlocks(x: Tensor): Tensor {
  const [blocks, height, width, batch, block] = x.shape as [number, number, number, number, number];
  const apart = reshape(x, [blocks, height * width * batch, block]);
  return reshape(blocks === 1 ? apart : transpose(apart, [1, 0, 2]), [height, width, batch, blocks * block]);
}

/** [kh, kw, C, K] → [K/lanes, C/block, kh, kw, block, lanes]. */
export function blockWeights(w: Tensor, block: number, lanes: number): Tensor {
  const [kh, kw, channels, filters] = w.shape as [number, number, number, number];
  const apart = reshape(w, [kh, kw, channels / block, block, filters / lanes, lanes]);
  return transpose(apart, [4, 2, 0, 1, 3, 5]);
}
