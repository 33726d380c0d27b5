import type { Rng } from "../util/rng.ts";
import type { Shape } from "../util/shape.ts";
import type { Inputs } from "./dataset.ts";

/*
 * The geometric part of RandAugment (Cubuk et al. 2020), with the operations, magnitudes and centres of torchvision's: each image goes through some
 * operations one after another, drawn from all with equal odds. Pixels are those of Pillow's Image.transform, which torchvision calls for images of Pillow.
 */

export const interpolations = ["nearest", "bilinear"] as const;

/** How images are moved, turned and slanted at random. */
export interface Geometry {
  /** Operations per image, one after another. */
  readonly operations: number;
  /** How far, from 0 to 30; both directions are equally likely. */
  readonly magnitude: number;
  readonly interpolation: (typeof interpolations)[number];
  /** The pixel where there is no image, raw, before normalization. */
  readonly fill: number;
}

/** torchvision's scale has 31 magnitudes, from 0. */
export const MOST = 30;

/** [a, b, c, d, e, f]: the point (x, y) of the result is the point (ax + by + c, dx + ey + f) of the image. */
export type Affine = readonly [number, number, number, number, number, number];

interface Size {
  readonly height: number;
  readonly width: number;
}

/** torchvision moves images by up to this part of a side, which is 150 pixels of AutoAugment's 331. */
const FARTHEST = 150 / 331;
const STEEPEST = 0.3;
const WIDEST = Math.PI / 6;

/** The operations; `part` is the signed magnitude as a part of the largest. */
export const operations = {
  identity: () => [1, 0, 0, 0, 1, 0],
  shearX: (part) => [1, STEEPEST * part, 0, 0, 1, 0],
  shearY: (part) => [1, 0, 0, STEEPEST * part, 1, 0],
  translateX: (part, { width }) => [1, 0, -Math.trunc(FARTHEST * width * part), 0, 1, 0],
  translateY: (part, { height }) => [1, 0, 0, 0, 1, -Math.trunc(FARTHEST * height * part)],
  rotate: (part, { height, width }) => {
    const [cos, sin] = [Math.cos(WIDEST * part), Math.sin(WIDEST * part)];
    const [x, y] = [width / 2, height / 2];
    return [cos, -sin, x - cos * x + sin * y, sin, cos, y - sin * x - cos * y];
  },
} as const satisfies Readonly<Record<string, (part: number, size: Size) => Affine>>;

const every: readonly ((part: number, size: Size) => Affine)[] = Object.values(operations);

/** Changes an image [C, H, W] in place. Each operation draws two random numbers, whatever is drawn. */
export function moveAtRandom(image: Inputs, shape: Shape, geometry: Geometry, random: Rng): void {
  const [, height, width] = shape as readonly [number, number, number];
  for (let i = 0; i < geometry.operations; i++) {
    const operation = every[Math.floor(random.uniform() * every.length)]!;
    const sign = random.uniform() < 0.5 ? -1 : 1;
    const matrix = operation((sign * geometry.magnitude) / MOST, { height, width });
    if (operation !== operations.identity) transform(image, image.slice(), shape, matrix, geometry);
  }
}

/** Writes the image [C, H, W] seen through an affine map to `target`. A pixel is a square of side 1, and its value is taken in its middle. */
export function transform(
  target: Inputs,
  source: Inputs,
  [channels, height, width]: Shape,
  matrix: Affine,
  { interpolation, fill }: Pick<Geometry, "interpolation" | "fill">,
): void {
  const size = { height: height!, width: width! };
  const sample = interpolation === "nearest" ? nearest(matrix) : bilinear(matrix);
  const plane = size.height * size.width;
  for (let c = 0; c < channels!; c++) {
    const pixels = source.subarray(c * plane, (c + 1) * plane);
    for (let y = 0; y < size.height; y++)
      for (let x = 0; x < size.width; x++) target[c * plane + y * size.width + x] = sample(pixels, size, x, y) ?? fill;
  }
}

/** The value of a pixel of the result; undefined outside the image. Conversion to whole numbers truncates, as Pillow's. */
type Sample = (pixels: Inputs, size: Size, x: number, y: number) => number | undefined;

/** Binary digits that Pillow keeps of coordinates. */
const FIXED = 65536;
const fixed = (value: number) => Math.floor(value * FIXED + 0.5);

/** The pixel that a point lies in, in Pillow's fixed-point arithmetic. */
function nearest([a, b, c, d, e, f]: Affine): Sample {
  const [ax, bx, ay, by] = [fixed(a), fixed(b), fixed(d), fixed(e)];
  const [startX, startY] = [fixed(c + a / 2 + b / 2), fixed(f + d / 2 + e / 2)];
  return (pixels, { height, width }, x, y) => {
    const fromX = Math.floor((startX + ax * x + bx * y) / FIXED);
    const fromY = Math.floor((startY + ay * x + by * y) / FIXED);
    return fromX >= 0 && fromX < width && fromY >= 0 && fromY < height ? pixels[fromY * width + fromX] : undefined;
  };
}

/** Between the four middles of pixels around a point; at the border the image goes on as it ends. */
function bilinear([a, b, c, d, e, f]: Affine): Sample {
  return (pixels, { height, width }, x, y) => {
    const atX = a * (x + 0.5) + b * (y + 0.5) + c;
    const atY = d * (x + 0.5) + e * (y + 0.5) + f;
    if (!(atX >= 0 && atX < width && atY >= 0 && atY < height)) return undefined;
    const [left, top] = [Math.floor(atX - 0.5), Math.floor(atY - 0.5)];
    const [dx, dy] = [atX - 0.5 - left, atY - 0.5 - top];
    const [x0, x1] = [Math.max(0, left), Math.min(width - 1, left + 1)];
    const along = (row: number) => {
      const [from, to] = [pixels[row * width + x0]!, pixels[row * width + x1]!];
      return from + (to - from) * dx;
    };
    const [above, below] = [along(Math.max(0, top)), along(Math.min(height - 1, top + 1))];
    return above + (below - above) * dy;
  };
}
