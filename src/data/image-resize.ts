import { DataError } from "../util/errors.ts";
import { MOST_PIXELS, type Picture } from "./picture.ts";

/**
 * The square of `size` pixels in the middle of an image whose shorter side is brought to `size`: torchvision's `Resize(size)` and
 * `CenterCrop(size)`, bilinear and with antialiasing, to the bytes of Pillow's `resize`.
 * @throws DataError where an image is so long that its longer side becomes too large
 */
export function squareOf(picture: Picture, size: number, path: string): Picture {
  const { width, height } = picture;
  const short = Math.min(width, height);
  const scaled = (side: number) => (side === short ? size : Math.floor((size * side) / short));
  const [toWidth, toHeight] = [scaled(width), scaled(height)];
  if (toWidth * toHeight > MOST_PIXELS)
    throw new DataError(
      `${path}: ${width} × ${height} pixels become ${toWidth} × ${toHeight}, the most is ${MOST_PIXELS}`,
      { path, width, height },
      "cut it, or choose a smaller data.size",
    );
  return centre(scaledRows(scaledColumns(picture, toWidth), toHeight), size);
}

/** Fractions of weights are 2^−22, so that 255 of them fit 32 bits; so in Pillow. */
const ONE = 2 ** 22;

interface Taps {
  readonly first: number;
  /** In units of 2^−22. */
  readonly weights: readonly number[];
}

/** The pixels that each new one is a mean of: a triangle as wide as two old pixels, or two new ones if these are larger. */
function tapsOf(from: number, to: number): Taps[] {
  const scale = from / to;
  const width = Math.max(1, scale);
  return Array.from({ length: to }, (_, i) => {
    const middle = (i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(middle - width + 0.5));
    const end = Math.min(from, Math.trunc(middle + width + 0.5));
    const raw = Array.from({ length: end - first }, (__, k) =>
      Math.max(0, 1 - Math.abs((k + first - middle + 0.5) / width)),
    );
    const total = raw.reduce((sum, weight) => sum + weight, 0);
    return { first, weights: raw.map((weight) => Math.floor((weight / total) * ONE + 0.5)) };
  });
}

function scaledColumns({ width, height, channels, data }: Picture, to: number): Picture {
  if (to === width) return { width, height, channels, data };
  const result = new Uint8Array(to * height * channels);
  for (const [x, { first, weights }] of tapsOf(width, to).entries())
    for (let y = 0; y < height; y++)
      for (let c = 0; c < channels; c++) {
        let sum = ONE / 2;
        for (let k = 0; k < weights.length; k++) sum += weights[k]! * data[(y * width + first + k) * channels + c]!;
        result[(y * to + x) * channels + c] = Math.min(255, Math.floor(sum / ONE));
      }
  return { width: to, height, channels, data: result };
}

function scaledRows({ width, height, channels, data }: Picture, to: number): Picture {
  if (to === height) return { width, height, channels, data };
  const row = width * channels;
  const result = new Uint8Array(to * row);
  for (const [y, { first, weights }] of tapsOf(height, to).entries())
    for (let at = 0; at < row; at++) {
      let sum = ONE / 2;
      for (let k = 0; k < weights.length; k++) sum += weights[k]! * data[(first + k) * row + at]!;
      result[y * row + at] = Math.min(255, Math.floor(sum / ONE));
    }
  return { width, height: to, channels, data: result };
}

/** Half of a number of pixels, of halves the even one, as Python rounds. */
function half(pixels: number): number {
  const down = Math.floor(pixels / 2);
  return pixels % 2 === 1 && down % 2 === 1 ? down + 1 : down;
}

function centre({ width, height, channels, data }: Picture, size: number): Picture {
  const [left, top] = [half(width - size), half(height - size)];
  const result = new Uint8Array(size * size * channels);
  for (let y = 0; y < size; y++) {
    const from = ((top + y) * width + left) * channels;
    result.set(data.subarray(from, from + size * channels), y * size * channels);
  }
  return { width: size, height: size, channels, data: result };
}
