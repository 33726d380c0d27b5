import type { Rng } from "../util/rng.ts";
import type { Shape } from "../util/shape.ts";
import type { Inputs } from "./dataset.ts";
import { type Geometry, moveAtRandom } from "./geometry.ts";

export interface Augmentation {
  /** Pixels of zeros put around before a crop of the old size is taken at random; 0 is off. */
  readonly crop: number;
  /** Mirrored left to right with probability ½. */
  readonly flip: boolean;
  /** Side of a square of zeros at a random centre (DeVries & Taylor 2017), cut at the border; 0 is off. */
  readonly cutout: number;
  /** Moved, turned and slanted, between crop and cutout; left out, none of it. */
  readonly geometry?: Geometry | undefined;
}

/** Random numbers of changes; those of the geometry are a stream of their own, so it changes no other. */
export interface AugmentRandom {
  readonly plain: Rng;
  readonly geometry: Rng;
}

/**
 * Writes one image [C, H, W] to `target`, changed at random. Zeros are raw pixels, before normalization, as in torchvision.
 * Every image draws the same number of random numbers, whatever is drawn.
 */
export function augmentInto(
  target: Inputs,
  source: Inputs,
  shape: Shape,
  { crop, flip, cutout, geometry }: Augmentation,
  { plain: random, geometry: moving }: AugmentRandom,
): void {
  const [channels, height, width] = shape as readonly [number, number, number];
  const within = (n: number) => Math.floor(random.uniform() * n);
  const [down, right] = crop > 0 ? [within(2 * crop + 1) - crop, within(2 * crop + 1) - crop] : [0, 0];
  const mirrored = flip && random.uniform() < 0.5;
  const [centreY, centreX] = cutout > 0 ? [within(height), within(width)] : [0, 0];
  for (let c = 0; c < channels; c++)
    for (let y = 0; y < height; y++) {
      const to = (c * height + y) * width;
      const fromY = y + down;
      if (fromY < 0 || fromY >= height) {
        target.fill(0, to, to + width);
        continue;
      }
      const from = (c * height + fromY) * width;
      for (let x = 0; x < width; x++) {
        const fromX = (mirrored ? width - 1 - x : x) + right;
        target[to + x] = fromX < 0 || fromX >= width ? 0 : source[from + fromX]!;
      }
    }
  if (geometry) moveAtRandom(target, shape, geometry, moving);
  if (cutout === 0) return;
  const half = cutout >> 1;
  const [top, left] = [Math.max(0, centreY - half), Math.max(0, centreX - half)];
  const [bottom, end] = [Math.min(height, centreY - half + cutout), Math.min(width, centreX - half + cutout)];
  for (let c = 0; c < channels; c++)
    for (let y = top; y < bottom; y++) target.fill(0, (c * height + y) * width + left, (c * height + y) * width + end);
}
