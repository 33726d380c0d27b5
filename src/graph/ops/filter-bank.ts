import { ShapeError } from "../../util/errors.ts";
import { type Shape, showShape, sizeOf } from "../../util/shape.ts";
import { apply, defineOp, sample } from "../op.ts";
import type { Tensor } from "../tensor.ts";
import { transpose } from "./arrange.ts";
import { matmul } from "./matmul.ts";
import { reshape } from "./reshape.ts";
import { putBack, take } from "./take.ts";

/** Each for rows and columns. */
export interface FilterBankAttrs {
  /** Positions from one window to the next. */
  readonly step: readonly [number, number];
  /** Zeros before the first position. */
  readonly before: readonly [number, number];
  readonly windows: readonly [number, number];
}

/**
 * Every window of two axes through every filter of a bank:
 * y[o, f, t, s, i] = Σ_uv w[f, 0, u, v, 0]·x[o, 0, step·t + u − before, step·s + v − before, i], with zeros outside. x [outer, 1, rows,
 * columns, inner], w [filters, 1, taps, taps, 1] → [outer, filters, windows, windows, inner]. The last window ends at the last
 * position or after it.
 */
export const filterBankOp = defineOp<FilterBankAttrs>({
  name: "filterBank",
  shape: (inputs, attrs) => {
    const [x, w] = [inputs[0]!.shape, inputs[1]!.shape];
    if (
      x.length !== 5 ||
      x[1] !== 1 ||
      w.length !== 5 ||
      w[1] !== 1 ||
      w[4] !== 1 ||
      Math.min(...zerosAfter(x, w, attrs)) < 0
    )
      throw new ShapeError(
        `filterBank: shapes ${showShape(x)} and ${showShape(w)} with ${attrs.windows} windows, expected [outer, 1, rows, columns, inner] and [filters, 1, taps, taps, 1], the last windows reaching the end`,
        { x, w, attrs },
      );
    return [x[0]!, w[0]!, ...attrs.windows, x[4]!];
  },
  vjp: ({ g, inputs, attrs }) => {
    const [x, w] = inputs as [Tensor, Tensor];
    return [
      () => {
        const byWindow = transpose(g, [0, 2, 3, 1, 4]);
        const taps = matmul(reshape(w, [w.shape[0]!, -1]), byWindow, { transA: true });
        return fromWindows(taps, x.shape, w.shape, attrs);
      },
      () => {
        const rows = (t: Tensor, order: readonly number[], count: number) => reshape(transpose(t, order), [count, -1]);
        const filters = w.shape[0]!;
        const taps = sizeOf(w.shape) / filters;
        const windows = rows(toWindows(x, w.shape, attrs), [3, 0, 1, 2, 4], taps);
        return reshape(matmul(rows(g, [1, 0, 2, 3, 4], filters), windows, { transB: true }), w.shape);
      },
    ];
  },
  emit: (emitter, [x, w], node, attrs) => {
    const [image, bank] = [node.inputs[0]!.shape, node.inputs[1]!.shape];
    return emitter.node("Conv", [x!, w!], {
      kernel_shape: bank.slice(2),
      strides: [...attrs.step, 1],
      pads: [...attrs.before, 0, ...zerosAfter(image, bank, attrs), 0],
    });
  },
  samples: [
    sample({ step: [1, 2], before: [0, 1], windows: [1, 3] }, [1, 1, 1, 7, 2], [3, 1, 1, 4, 1]),
    sample({ step: [1, 4], before: [0, 1], windows: [3, 2] }, [2, 1, 3, 8, 2], [4, 1, 1, 6, 1]),
    sample({ step: [2, 2], before: [1, 0], windows: [3, 3] }, [2, 1, 5, 6, 2], [3, 1, 3, 2, 1]),
    sample({ step: [1, 1], before: [0, 0], windows: [1, 1] }, [2, 1, 1, 1, 1], [1, 1, 1, 1, 1]),
  ],
});

const zerosAfter = (x: Shape, w: Shape, { step, before, windows }: FilterBankAttrs): [number, number] => {
  const along = (axis: 0 | 1) => step[axis] * (windows[axis] - 1) + w[2 + axis]! - before[axis] - x[2 + axis]!;
  return [along(0), along(1)];
};

/** The position each tap of each window of one axis reads, -1 outside. */
function windowIndices(x: Shape, w: Shape, { step, before, windows }: FilterBankAttrs, axis: 0 | 1): Int32Array {
  const [taps, length] = [w[2 + axis]!, x[2 + axis]!];
  return Int32Array.from({ length: windows[axis] * taps }, (_, at) => {
    const position = step[axis] * Math.floor(at / taps) + (at % taps) - before[axis];
    return position < length ? Math.max(position, -1) : -1;
  });
}

/** [outer, windows, windows, taps·taps, inner]: what each window reads. */
function toWindows(x: Tensor, w: Shape, attrs: FilterBankAttrs): Tensor {
  const [rows, columns] = attrs.windows;
  const [u, v] = w.slice(2) as [number, number];
  const down = take(x, 2, windowIndices(x.shape, w, attrs, 0));
  const across = take(down, 3, windowIndices(x.shape, w, attrs, 1));
  const [outer, inner] = [x.shape[0]!, x.shape[4]!];
  const apart = transpose(reshape(across, [outer, rows, u, columns, v, inner]), [0, 1, 3, 2, 4, 5]);
  return reshape(apart, [outer, rows, columns, u * v, inner]);
}

/** The adjoint of `toWindows`. */
function fromWindows(windows: Tensor, x: Shape, w: Shape, attrs: FilterBankAttrs): Tensor {
  const [outer, rows, columns, , inner] = windows.shape as [number, number, number, number, number];
  const [u, v] = w.slice(2) as [number, number];
  const together = transpose(reshape(windows, [outer, rows, columns, u, v, inner]), [0, 1, 3, 2, 4, 5]);
  const across = putBack(
    reshape(together, [outer, 1, rows * u, columns * v, inner]),
    3,
    windowIndices(x, w, attrs, 1),
    x[3]!,
  );
  return putBack(across, 2, windowIndices(x, w, attrs, 0), x[2]!);
}

export const filterBank = (x: Tensor, filters: Tensor, attrs: FilterBankAttrs): Tensor =>
  apply(filterBankOp, [x, filters], attrs);

/** The same from gathered windows and one matrix product, where there is no Conv: ONNX Runtime's CPU provider has none in f64. */
export function filterBankByWindows(x: Tensor, filters: Tensor, attrs: FilterBankAttrs): Tensor {
  const bank = reshape(filters, [filters.shape[0]!, -1]);
  return transpose(matmul(bank, toWindows(x, filters.shape, attrs)), [0, 3, 1, 2, 4]);
}
