/** The formula of scripts/golden/data.py. */
const pixel = (i: number, c: number, r: number, k: number) => (7 * i + 50 * c + 3 * r + k) % 256;
export const image = (i: number, [channels, height, width]: readonly [number, number, number]) =>
  Array.from({ length: channels * height * width }, (_, at) =>
    pixel(i, Math.floor(at / (height * width)), Math.floor(at / width) % height, at % width),
  );
