import { DataError } from "../util/errors.ts";
import { type Shape, showShape, sizeOf } from "../util/shape.ts";

/** The order of the axes of images: channels first, as PyTorch has them, or last, as TensorFlow and image files have them. */
export const imageLayouts = ["nchw", "nhwc"] as const;

export type ImageLayout = (typeof imageLayouts)[number];

type Nchw = readonly [count: number, channels: number, height: number, width: number];

/** Whether images of this shape have so few columns and so many channels that the last axis must be the channels. */
export function looksLikeNhwc([, channels = 0, height = 0, width = 0, ...rest]: Shape): boolean {
  return rest.length === 0 && (width === 1 || width === 3 || width === 4) && channels > 4 && height > 4;
}

/**
 * Images as [n, C, H, W]; [n, H, W] have one channel. The layout is guessed nowhere: what looks like NHWC is refused unless `layout`
 * says what it is.
 */
export function asNchw<T extends Uint8Array | Float32Array>(
  x: T,
  shape: Shape,
  source: string,
  layout?: ImageLayout,
): { readonly x: T; readonly shape: Nchw } {
  const fail = (hint: string) => {
    const expected = layout === "nhwc" ? "[n, H, W, C]" : "[n, C, H, W]";
    return new DataError(`${source}: shape ${showShape(shape)}, expected ${expected}`, { source, shape }, hint);
  };
  if (x.length === 0) throw fail("there must be at least one image, of at least one pixel");
  const [count = 0, a = 0, b = 0, c = 0] = shape;
  if (shape.length === 2)
    throw fail(`a table [n, d] becomes images of one pixel: x.reshape(${count}, ${a}, 1, 1), with model.name=mlp`);
  if (shape.length === 3 && layout !== "nhwc") return { x, shape: [count, 1, a, b] };
  if (shape.length !== 4) throw fail("colour images have four axes, grey ones three: x.reshape(n, C, H, W)");
  if (layout === "nhwc") return { x: channelsFirst(x, count, a * b, c), shape: [count, c, a, b] };
  if (layout === undefined && looksLikeNhwc(shape))
    throw fail(
      "this looks like NHWC: give x.transpose(0, 3, 1, 2), or say data.layout=nhwc (or nchw, if that is right)",
    );
  return { x, shape: [count, a, b, c] };
}

/** [n, pixels, channels] to [n, channels, pixels]. */
function channelsFirst<T extends Uint8Array | Float32Array>(x: T, count: number, pixels: number, channels: number): T {
  const result = new (x.constructor as new (length: number) => T)(sizeOf([count, pixels, channels]));
  for (let i = 0; i < count; i++)
    for (let c = 0; c < channels; c++)
      for (let p = 0; p < pixels; p++) result[(i * channels + c) * pixels + p] = x[(i * pixels + p) * channels + c]!;
  return result;
}
