import { attrsOf } from "../../graph/op.ts";
import { convInputOp, convOp, convWeightOp } from "../../graph/ops/conv.ts";
import { type ConvAttrs, convOutputSize } from "../../graph/ops/conv-attrs.ts";
import { matmul } from "../../graph/ops/matmul.ts";
import { reshape } from "../../graph/ops/reshape.ts";
import { putBack, stride } from "../../graph/ops/take.ts";
import type { Target, Tensor } from "../../graph/tensor.ts";
import { topological } from "../../graph/walk.ts";
import { type AxisGeometry, planAxis } from "./axis-plan.ts";
import { directConv, directConvInput, directConvWeight, patchIndices, tallProduct } from "./conv-direct.ts";
import { hasFewChannels, planesConv, planesConvWeight, planesOf } from "./conv-planes.ts";
import { type ConvPlan, convPlan, winogradConv, winogradConvInput, winogradConvWeight } from "./conv-winograd.ts";
import { blockedForward, blockedInput, blockedPlan } from "./conv-blocked.ts";
import { blockedCost, type Contractions, type ConvCost, directCost, totalCost, winogradCost } from "./cost.ts";
import type { Lowering, LoweringContext } from "./lowering.ts";

/** One way to compute a convolution: its three contractions, which share their parts. */
interface Method {
  /** y of x [H, W, N, C] and w [kh, kw, C, K]. */
  forward(x: Tensor, w: Tensor): Tensor;
  /** x of y [Ho, Wo, N, K] and w. */
  input(y: Tensor, w: Tensor): Tensor;
  /** w of x and y. */
  weight(x: Tensor, y: Tensor): Tensor;
}

/** What decides about the method; equal geometries get one method, and so share its constants. */
interface Geometry {
  readonly attrs: ConvAttrs;
  readonly batch: number;
  readonly channels: number;
  readonly filters: number;
  readonly dtype: Tensor["dtype"];
}

export const lowerConv: Lowering = (node, context) => {
  const [x, w] = node.inputs as [Tensor, Tensor];
  return methodOf(attrsOf(convOp, node)!, x, node, context)?.forward(x, w);
};

export const lowerConvInput: Lowering = (node, context) => {
  const [y, w] = node.inputs as [Tensor, Tensor];
  return methodOf(attrsOf(convInputOp, node)!, node, y, context)?.input(y, w);
};

export const lowerConvWeight: Lowering = (node, context) => {
  const [x, y] = node.inputs as [Tensor, Tensor];
  return methodOf(attrsOf(convWeightOp, node)!, x, y, context)?.weight(x, y);
};

/** A 1×1 kernel without padding is a matrix product over channels. */
const pointwise = (attrs: ConvAttrs): Method => ({
  forward: (x, w) =>
    reshape(matmul(rows(sampled(x, attrs)), rows(w)), [...convOutputSize(attrs), x.shape[2]!, w.shape[3]!]),
  input: (y, w) => {
    const products = matmul(rows(y), rows(w), { transB: true });
    return unsampled(reshape(products, [...convOutputSize(attrs), y.shape[2]!, w.shape[2]!]), attrs);
  },
  weight: (x, y) => reshape(tallProduct(rows(sampled(x, attrs)), rows(y)), [...attrs.kernel, x.shape[3]!, y.shape[3]!]),
});

function direct({ attrs, batch, channels }: Geometry): Method {
  const output = convOutputSize(attrs);
  if (hasFewChannels(channels, batch)) {
    const planes = planesOf(attrs, output, batch, channels);
    return {
      forward: (x, w) => planesConv(x, w, planes, output),
      input: (y, w) => directConvInput(y, w, patchIndices(attrs, output, batch), attrs.size),
      weight: (x, y) => planesConvWeight(x, y, planes, attrs.kernel),
    };
  }
  const patches = patchIndices(attrs, output, batch);
  return {
    forward: (x, w) => directConv(x, w, patches, output),
    input: (y, w) => directConvInput(y, w, patches, attrs.size),
    weight: (x, y) => directConvWeight(x, y, patches, attrs.kernel),
  };
}

const winograd = (plan: ConvPlan, kernel: ConvAttrs["kernel"]): Method => ({
  forward: (x, w) => winogradConv(x, w, plan),
  input: (y, w) => winogradConvInput(y, w, plan),
  weight: (x, y) => winogradConvWeight(x, y, plan, kernel),
});

const rows = (t: Tensor): Tensor => reshape(t, [-1, t.shape.at(-1)!]);

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

const geometryOf = (attrs: ConvAttrs, x: Tensor, y: Tensor): Geometry => ({
  attrs,
  batch: x.shape[2]!,
  channels: x.shape[3]!,
  filters: y.shape[3]!,
  dtype: y.dtype,
});

const keyOf = (geometry: Geometry): string => JSON.stringify(["conv", geometry]);

/** Which contractions of each geometry `outputs` have: what a method costs depends on how many of them share its parts. */
export function contractionsIn(outputs: readonly Tensor[]): ReadonlyMap<string, Contractions> {
  const found = new Map<string, Set<"forward" | "input" | "weight">>();
  const note = (part: "forward" | "input" | "weight", geometry: Geometry) => {
    const key = keyOf(geometry);
    found.set(key, (found.get(key) ?? new Set()).add(part));
  };
  for (const node of topological(outputs)) {
    const [a, b] = node.inputs as [Tensor, Tensor];
    const [forward, input, weight] = [attrsOf(convOp, node), attrsOf(convInputOp, node), attrsOf(convWeightOp, node)];
    if (forward) note("forward", geometryOf(forward, a, node));
    if (input) note("input", geometryOf(input, node, a));
    if (weight) note("weight", geometryOf(weight, a, b));
  }
  return found;
}

function methodOf(attrs: ConvAttrs, x: Tensor, y: Tensor, context: LoweringContext): Method | undefined {
  const geometry = geometryOf(attrs, x, y);
  const key = keyOf(geometry);
  return context.memo(key, () => choose(geometry, context.contractions.get(key) ?? ALL, context.target));
}

const ALL: Contractions = new Set(["forward", "input", "weight"]);

/** The method for one geometry; undefined leaves the convolution to the target's own operators. */
function choose(geometry: Geometry, wanted: Contractions, { convolution, block }: Target): Method | undefined {
  const { attrs, batch, channels, filters, dtype } = geometry;
  const { kernel, padding } = attrs;
  if (convolution === "native") return undefined;
  if (kernel[0] * kernel[1] === 1 && padding[0] + padding[1] === 0) return pointwise(attrs);
  if (convolution === "direct") return direct(geometry);

  const plan = block === undefined || dtype !== "f32" ? undefined : blockedPlan(attrs, channels, filters, block);
  const { forward, input } = plan ? blockedCost(plan, batch, channels, filters) : {};
  const elsewhere = [{}, { forward }, { input }, { forward, input }].filter((costs) =>
    Object.values(costs).every((seconds) => seconds !== undefined),
  ) as Partial<ConvCost>[];
  const ways = candidates(geometry).flatMap(({ cost, make }) =>
    elsewhere.map((blocked) => ({ seconds: totalCost(cost, wanted, blocked), make, blocked })),
  );
  const { make, blocked } = ways.reduce((best, way) => (way.seconds < best.seconds ? way : best));
  return {
    ...make(),
    ...(blocked.forward === undefined ? {} : { forward: (x, w) => blockedForward(x, w, plan!) }),
    ...(blocked.input === undefined ? {} : { input: (y, w) => blockedInput(y, w, plan!) }),
  };
}

/** The methods that compute all three contractions from the same parts. */
function candidates(geometry: Geometry): { readonly cost: ConvCost; make(): Method }[] {
  const { attrs, batch, channels, filters, dtype } = geometry;
  const axis = (i: 0 | 1): AxisGeometry => ({
    length: attrs.size[i],
    kernel: attrs.kernel[i],
    stride: attrs.stride[i],
    padding: attrs.padding[i],
  });
  const [down, across] = [axis(0), axis(1)];
  const tiled = TILES.flatMap((h) => TILES.map((w) => [h, w] as const)).flatMap(([h, w]) => {
    const cost = winogradCost(down, across, [h, w], batch, channels, filters);
    const make = () => winograd(convPlan(planAxis(down, h, dtype), planAxis(across, w, dtype), dtype), attrs.kernel);
    return cost ? [{ cost, make }] : [];
  });
  const cost = directCost(attrs, convOutputSize(attrs), batch, channels, filters);
  return [{ cost, make: () => direct(geometry) }, ...tiled];
}

/** Outputs per tile that are tried on each axis. */
const TILES = [1, 2, 4];
