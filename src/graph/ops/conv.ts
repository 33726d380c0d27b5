import { ShapeError } from "../../util/errors.ts";
import { type Shape, sameShape, showShape, sizeOf } from "../../util/shape.ts";
import { apply, defineOp, type Sample } from "../op.ts";
import type { Tensor } from "../tensor.ts";
import { type ConvAttrs, convOutputSize } from "./conv-attrs.ts";
import { emitConv, emitConvInput, emitConvWeight } from "./conv-native.ts";

const geometries: readonly (ConvAttrs & { readonly batch: number; readonly channels: readonly [number, number] })[] = [
  { size: [4, 4], kernel: [3, 3], stride: [1, 1], padding: [1, 1], batch: 2, channels: [2, 3] },
  { size: [5, 7], kernel: [3, 3], stride: [1, 1], padding: [1, 1], batch: 1, channels: [3, 2] },
  { size: [8, 6], kernel: [3, 3], stride: [1, 1], padding: [1, 1], batch: 2, channels: [1, 2] },
  { size: [5, 5], kernel: [3, 3], stride: [2, 2], padding: [1, 1], batch: 2, channels: [2, 2] },
  { size: [8, 7], kernel: [3, 3], stride: [2, 2], padding: [1, 1], batch: 1, channels: [2, 1] },
  { size: [4, 3], kernel: [1, 1], stride: [1, 1], padding: [0, 0], batch: 2, channels: [3, 2] },
  { size: [5, 4], kernel: [1, 1], stride: [2, 2], padding: [0, 0], batch: 2, channels: [2, 3] },
  { size: [6, 5], kernel: [5, 5], stride: [1, 1], padding: [2, 2], batch: 1, channels: [1, 2] },
  { size: [5, 6], kernel: [3, 3], stride: [1, 1], padding: [0, 0], batch: 2, channels: [2, 1] },
  { size: [3, 5], kernel: [1, 3], stride: [1, 1], padding: [0, 1], batch: 1, channels: [2, 2] },
  { size: [4, 6], kernel: [2, 2], stride: [2, 2], padding: [0, 0], batch: 2, channels: [2, 2] },
  { size: [1, 1], kernel: [3, 3], stride: [1, 1], padding: [1, 1], batch: 1, channels: [2, 2] },
  { size: [7, 7], kernel: [4, 3], stride: [3, 2], padding: [2, 1], batch: 1, channels: [1, 1] },
];

const samplesOf = (shapes: (x: Shape, w: Shape, y: Shape) => readonly [Shape, Shape]): Sample<ConvAttrs>[] =>
  geometries.map(({ batch, channels: [c, k], ...attrs }) => ({
    attrs,
    shapes: shapes([...attrs.size, batch, c], [...attrs.kernel, c, k], [...convOutputSize(attrs), batch, k]),
  }));

const mismatch = (op: string, a: Shape, b: Shape, attrs: ConvAttrs): never => {
  const { size, kernel, stride, padding } = attrs;
  throw new ShapeError(
    `${op}: shapes ${showShape(a)} and ${showShape(b)} do not fit size ${size}, kernel ${kernel}, stride ${stride}, padding ${padding}`,
    { op, a, b, attrs },
    "activations are [height, width, batch, channels], weights [kernel height, kernel width, channels in, channels out]",
  );
};

/** Every tap meets every pair of channels at every pixel of the output. Zeros of the padding count. */
const multiplications = (attrs: ConvAttrs, batch: number, channels: number, filters: number): number =>
  sizeOf([...convOutputSize(attrs), ...attrs.kernel, batch, channels, filters]);

/** y = x ∗ w: [H, W, N, C], [kh, kw, C, K] → [Ho, Wo, N, K]. */
export const convOp = defineOp<ConvAttrs>({
  name: "conv2d",
  shape: (inputs, attrs) => {
    const [x, w] = [inputs[0]!.shape, inputs[1]!.shape];
    const [height, width] = convOutputSize(attrs);
    if (x.length !== 4 || w.length !== 4 || x[3] !== w[2] || height < 1 || width < 1) mismatch("conv2d", x, w, attrs);
    if (!sameShape(x.slice(0, 2), attrs.size) || !sameShape(w.slice(0, 2), attrs.kernel))
      mismatch("conv2d", x, w, attrs);
    return [height, width, x[2]!, w[3]!];
  },
  vjp: ({ g, inputs, attrs }) => {
    const [x, w] = inputs as [Tensor, Tensor];
    return [() => convInput(g, w, attrs), () => convWeight(x, g, attrs)];
  },
  multiplications: ([x, w], attrs) => multiplications(attrs, x!.shape[2]!, w!.shape[2]!, w!.shape[3]!),
  emit: emitConv,
  samples: samplesOf((x, w) => [x, w]),
});

/** The adjoint of conv2d in x: [Ho, Wo, N, K], [kh, kw, C, K] → [H, W, N, C]. */
export const convInputOp = defineOp<ConvAttrs>({
  name: "conv2dInput",
  shape: (inputs, attrs) => {
    const [y, w] = [inputs[0]!.shape, inputs[1]!.shape];
    if (!sameShape(y.slice(0, 2), convOutputSize(attrs)) || y[3] !== w[3]) mismatch("conv2dInput", y, w, attrs);
    return [...attrs.size, y[2]!, w[2]!];
  },
  vjp: ({ g, inputs, attrs }) => {
    const [y, w] = inputs as [Tensor, Tensor];
    return [() => conv(g, w, attrs), () => convWeight(g, y, attrs)];
  },
  multiplications: ([y, w], attrs) => multiplications(attrs, y!.shape[2]!, w!.shape[2]!, w!.shape[3]!),
  emit: emitConvInput,
  samples: samplesOf((_, w, y) => [y, w]),
});

/** The adjoint of conv2d in w: [H, W, N, C], [Ho, Wo, N, K] → [kh, kw, C, K]. */
export const convWeightOp = defineOp<ConvAttrs>({
  name: "conv2dWeight",
  shape: (inputs, attrs) => {
    const [x, y] = [inputs[0]!.shape, inputs[1]!.shape];
    if (!sameShape(y.slice(0, 2), convOutputSize(attrs)) || x[2] !== y[2]) mismatch("conv2dWeight", x, y, attrs);
    return [...attrs.kernel, x[3]!, y[3]!];
  },
  vjp: ({ g, inputs, attrs }) => {
    const [x, y] = inputs as [Tensor, Tensor];
    return [() => convInput(y, g, attrs), () => conv(x, g, attrs)];
  },
  multiplications: ([x, y], attrs) => multiplications(attrs, x!.shape[2]!, x!.shape[3]!, y!.shape[3]!),
  emit: emitConvWeight,
  samples: samplesOf((x, _, y) => [x, y]),
});

const conv = (x: Tensor, w: Tensor, attrs: ConvAttrs): Tensor => apply(convOp, [x, w], attrs);
const convInput = (y: Tensor, w: Tensor, attrs: ConvAttrs): Tensor => apply(convInputOp, [y, w], attrs);
const convWeight = (x: Tensor, y: Tensor, attrs: ConvAttrs): Tensor => apply(convWeightOp, [x, y], attrs);

type Pair = number | readonly [number, number];
const pair = (value: Pair): readonly [number, number] => (typeof value === "number" ? [value, value] : value);

/**
 * Convolution of x [H, W, N, C] with w [kh, kw, C, K] as [H', W', N, K], where H' = ⌊(H + 2·padding − kh)/stride⌋ + 1.
 * `stride` (1) and `padding` (0, of zeros) hold for both axes, or are a pair. The kernel is not flipped, as in
 * PyTorch.
 *
 * @throws ShapeError where the channels differ, or no output is left
 * @example
 * ```ts
 * const f = await compile(({ x, w }) => ({ y: conv2d(x, w) }), { x: { shape: [1, 3, 1, 1] }, w: { shape: [1, 2, 1, 1] } });
 * console.log((await f.run({ x: [1, 2, 4], w: [1, 10] })).y); // [21, 42]
 * ```
 */
export const conv2d = (x: Tensor, w: Tensor, { stride = 1 as Pair, padding = 0 as Pair } = {}): Tensor => {
  if (x.shape.length !== 4 || w.shape.length !== 4)
    throw new ShapeError(`conv2d: shapes ${showShape(x.shape)} and ${showShape(w.shape)}, expected four axes each`);
  const [height, width] = x.shape as [number, number];
  const [kh, kw] = w.shape as [number, number];
  return conv(x, w, { size: [height, width], kernel: [kh, kw], stride: pair(stride), padding: pair(padding) });
};
