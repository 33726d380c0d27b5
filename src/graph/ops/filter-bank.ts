import { ShapeError } from "../../util/errors.ts";
import { showShape } from "../../util/shape.ts";
import { apply, defineOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";
import { transpose } from "./arrange.ts";
import { matmul } from "./matmul.ts";
import { reshape } from "./reshape.ts";
import { putBack, take } from "./take.ts";

export interface FilterBankAttrs {
  /** Positions from one window to the next. */
  readonly step: number;
  /** Zeros before the first position. */
  readonly before: number;
  readonly windows: number;
}

/**
 * Every window of one axis through every filter of a bank: y[o, r, m, t, i] = Σ_u f[r, u]·x[o, 0, m, step·t + u − before, i], with
 * zeros outside. x [outer, 1, middle, length, inner], f [filters, taps] → [outer, filters, middle, windows, inner]. The
 * last window ends at the last position or after it.
 */
export const filterBankOp = defineOp<FilterBankAttrs>({
  name: "filterBank",
  shape: (inputs, attrs) => {
    const [x, f] = [inputs[0]!.shape, inputs[1]!.shape];
    if (x.length !== 5 || x[1] !== 1 || f.length !== 2 || zerosAfter(x, f, attrs) < 0)
      throw new ShapeError(
        `filterBank: shapes ${showShape(x)} and ${showShape(f)} with ${attrs.windows} windows, expected [outer, 1, middle, length, inner] and [filters, taps], the last window reaching the end`,
        { x, f, attrs },
      );
    return [x[0]!, f[0]!, x[2]!, attrs.windows, x[4]!];
  },
  vjp: ({ g, inputs, attrs }) => {
    const [x, f] = inputs as [Tensor, Tensor];
    const [outer, , middle, length, inner] = x.shape as [number, number, number, number, number];
    const taps = f.shape[1]!;
    const indices = windowIndices(attrs, taps, length);
    const spread = [outer, 1, middle, attrs.windows * taps, inner];
    return [
      () => {
        const byWindow = transpose(g, [0, 2, 3, 1, 4]);
        return putBack(reshape(matmul(f, byWindow, { transA: true }), spread), 3, indices, length);
      },
      () => {
        const windows = reshape(take(x, 3, indices), [outer, middle, attrs.windows, taps, inner]);
        const rows = (t: Tensor, order: readonly number[], count: number) => reshape(transpose(t, order), [count, -1]);
        return matmul(rows(g, [1, 0, 2, 3, 4], f.shape[0]!), rows(windows, [3, 0, 1, 2, 4], taps), { transB: true });
      },
    ];
  },
  emit: (emitter, [x, f], node, attrs) => {
    const [image, bank] = [node.inputs[0]!.shape, node.inputs[1]!.shape as [number, number]];
    const kernel = emitter.node("Reshape", [f!, emitter.ints([bank[0], 1, 1, bank[1], 1])]);
    return emitter.node("Conv", [x!, kernel], {
      kernel_shape: [1, bank[1], 1],
      strides: [1, attrs.step, 1],
      pads: [0, attrs.before, 0, 0, zerosAfter(image, bank, attrs), 0],
    });
  },
  samples: [
    {
      shapes: [
        [1, 1, 1, 7, 2],
        [3, 4],
      ],
      attrs: { step: 2, before: 1, windows: 3 },
    },
    {
      shapes: [
        [2, 1, 3, 8, 2],
        [4, 6],
      ],
      attrs: { step: 4, before: 1, windows: 2 },
    },
    {
      shapes: [
        [2, 1, 1, 1, 1],
        [1, 1],
      ],
      attrs: { step: 1, before: 0, windows: 1 },
    },
  ],
});

const zerosAfter = (x: readonly number[], f: readonly number[], { step, before, windows }: FilterBankAttrs): number =>
  step * (windows - 1) + f[1]! - before - x[3]!;

/** The position each tap of each window reads, -1 outside. */
function windowIndices({ step, before, windows }: FilterBankAttrs, taps: number, length: number): Int32Array {
  return Int32Array.from({ length: windows * taps }, (_, at) => {
    const position = step * Math.floor(at / taps) + (at % taps) - before;
    return position < length ? Math.max(position, -1) : -1;
  });
}

export const filterBank = (x: Tensor, filters: Tensor, attrs: FilterBankAttrs): Tensor =>
  apply(filterBankOp, [x, filters], attrs);

/** The same from gathered windows and one matrix product, where there is no Conv: ONNX Runtime's CPU provider has none in f64. */
export function filterBankByWindows(x: Tensor, filters: Tensor, attrs: FilterBankAttrs): Tensor {
  const [outer, , middle, length, inner] = x.shape as [number, number, number, number, number];
  const taps = filters.shape[1]!;
  const windows = take(x, 3, windowIndices(attrs, taps, length));
  const byWindow = matmul(filters, reshape(windows, [outer, middle, attrs.windows, taps, inner]));
  return transpose(byWindow, [0, 3, 1, 2, 4]);
}
