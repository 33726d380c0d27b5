import { type ConvAttrs, convOutputSize } from "../../graph/ops/conv-attrs.ts";
import { matmul } from "../../graph/ops/matmul.ts";
import { reshape } from "../../graph/ops/reshape.ts";
import { putBack, stride } from "../../graph/ops/take.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { type AxisGeometry, planAxis } from "./axis-plan.ts";
import { directConv, directConvInput, directConvWeight, patchIndices, tallProduct } from "./conv-direct.ts";
import { type ConvPlan, convPlan, winogradConv, winogradConvInput, winogradConvWeight } from "./conv-winograd.ts";
import { directCost, winogradCost } from "./cost.ts";
import type { Lowering, LoweringContext } from "./lowering.ts";

/** A convolution's way to be computed, chosen once per geometry so that its three contractions share their parts. */
type Method =
  | { readonly kind: "native" }
  | { readonly kind: "pointwise" }
  | { readonly kind: "direct"; readonly patches: Int32Array }
  | { readonly kind: "winograd"; readonly plan: ConvPlan };

interface Sizes {
  readonly batch: number;
  readonly channels: number;
  readonly filters: number;
  readonly dtype: Tensor["dtype"];
}

export const lowerConv: Lowering = (node, context) => {
  const [x, w] = node.inputs as [Tensor, Tensor];
  const attrs = node.attrs as ConvAttrs;
  const method = methodOf(attrs, { ...sizes(x, node), dtype: node.dtype }, context);
  switch (method.kind) {
    case "native":
      return undefined;
    case "pointwise":
      return reshape(matmul(rows(sampled(x, attrs)), rows(w)), node.shape);
    case "direct":
      return directConv(x, w, method.patches, convOutputSize(attrs));
    case "winograd":
      return winogradConv(x, w, method.plan);
  }
};

export const lowerConvInput: Lowering = (node, context) => {
  const [y, w] = node.inputs as [Tensor, Tensor];
  const attrs = node.attrs as ConvAttrs;
  const method = methodOf(attrs, { ...sizes(node, y), dtype: node.dtype }, context);
  switch (method.kind) {
    case "native":
      return undefined;
    case "pointwise": {
      const small = [...convOutputSize(attrs), node.shape[2]!, node.shape[3]!];
      return unsampled(reshape(matmul(rows(y), rows(w), { transB: true }), small), attrs);
    }
    case "direct":
      return directConvInput(y, w, method.patches, attrs.size);
    case "winograd":
      return winogradConvInput(y, w, method.plan);
  }
};

export const lowerConvWeight: Lowering = (node, context) => {
  const [x, y] = node.inputs as [Tensor, Tensor];
  const attrs = node.attrs as ConvAttrs;
  const method = methodOf(attrs, { ...sizes(x, y), dtype: node.dtype }, context);
  switch (method.kind) {
    case "native":
      return undefined;
    case "pointwise":
      return reshape(tallProduct(rows(sampled(x, attrs)), rows(y)), node.shape);
    case "direct":
      return directConvWeight(x, y, method.patches, attrs.kernel);
    case "winograd":
      return winogradConvWeight(x, y, method.plan, attrs.kernel);
  }
};

const rows = (t: Tensor): Tensor => reshape(t, [-1, t.shape.at(-1)!]);

const sizes = (x: Tensor, y: Tensor) => ({ batch: x.shape[2]!, channels: x.shape[3]!, filters: y.shape[3]! });

/** The positions that a 1×1 kernel reads. */
function sampled(x: Tensor, attrs: ConvAttrs): Tensor {
  const [height, width] = convOutputSize(attrs);
  return stride(stride(x, 0, 0, attrs.stride[0], height), 1, 0, attrs.stride[1], width);
}

function unsampled(y: Tensor, { size, stride: step }: ConvAttrs): Tensor {
  const positions = (axis: 0 | 1) => Int32Array.from({ length: y.shape[axis]! }, (_, i) => i * step[axis]);
  const wide = step[1] === 1 && size[1] === y.shape[1] ? y : putBack(y, 1, positions(1), size[1]);
  return step[0] === 1 && size[0] === y.shape[0] ? wide : putBack(wide, 0, positions(0), size[0]);
}

function methodOf(attrs: ConvAttrs, sizes: Sizes, context: LoweringContext): Method {
  const key = JSON.stringify(["conv", attrs, sizes]);
  return context.memo(key, () => choose(attrs, sizes, context.target.convolution));
}

function choose(attrs: ConvAttrs, { batch, channels, filters, dtype }: Sizes, convolution: string): Method {
  const { kernel, padding } = attrs;
  if (convolution === "native") return { kind: "native" };
  if (kernel[0] * kernel[1] === 1 && padding[0] + padding[1] === 0) return { kind: "pointwise" };

  const output = convOutputSize(attrs);
  const direct = (): Method => ({ kind: "direct", patches: patchIndices(attrs, output, batch) });
  if (convolution === "direct") return direct();

  const axis = (i: 0 | 1): AxisGeometry => ({
    length: attrs.size[i],
    kernel: kernel[i],
    stride: attrs.stride[i],
    padding: padding[i],
  });
  const [down, across] = [axis(0), axis(1)];
  const candidates = TILES.flatMap((h) => TILES.map((w) => [h, w] as const));
  const costs = candidates.map((m) => winogradCost(down, across, m, batch, channels, filters));
  const best = costs.indexOf(Math.min(...costs));
  if (costs[best]! >= directCost(attrs, output, batch, channels, filters)) return direct();
  const [h, w] = candidates[best]!;
  return { kind: "winograd", plan: convPlan(planAxis(down, h, dtype), planAxis(across, w, dtype), dtype) };
}

/** Outputs per tile that are tried on each axis. */
const TILES = [1, 2, 4];
