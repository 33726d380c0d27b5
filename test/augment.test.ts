import { describe, expect, it } from "vitest";
import { augmentInto } from "../src/data/augment.ts";
import { type Rng, rng } from "../src/util/rng.ts";

/** Two channels of three rows and four columns, no pixel zero. */
const shape = [2, 3, 4] as const;
const [CHANNELS, HEIGHT, WIDTH] = shape;
const source = Uint8Array.from({ length: 24 }, (_, i) => i + 1);

/** What the same random numbers, drawn in this order, do to an image, pixel by pixel. */
function byHand({ crop, flip, cutout }: Parameters<typeof augmentInto>[3], random: Rng): number[] {
  const below = (n: number) => Math.floor(n * random.uniform());
  const [down, right] = crop === 0 ? [0, 0] : [below(2 * crop + 1) - crop, below(2 * crop + 1) - crop];
  const mirrored = flip ? random.uniform() < 0.5 : false;
  const centre = cutout === 0 ? [0, 0] : [below(HEIGHT), below(WIDTH)];
  return Array.from({ length: 24 }, (_, at) => {
    const [c, y, x] = [Math.floor(at / (HEIGHT * WIDTH)), Math.floor(at / WIDTH) % HEIGHT, at % WIDTH];
    const [fromY, fromX] = [y + down, (mirrored ? WIDTH - 1 - x : x) + right];
    const inside = fromY >= 0 && fromY < HEIGHT && fromX >= 0 && fromX < WIDTH;
    // A square of this side whose centre is the pixel, or right below and right of the middle where the side is even.
    const within = (position: number, middle: number) =>
      position - middle >= -Math.floor(cutout / 2) && position - middle < cutout - Math.floor(cutout / 2);
    if (!inside || (cutout > 0 && within(y, centre[0]!) && within(x, centre[1]!))) return 0;
    return source[(c * HEIGHT + fromY) * WIDTH + fromX]!;
  });
}

describe("an image that is changed at random", () => {
  it.each([
    { crop: 0, flip: false, cutout: 0 },
    { crop: 1, flip: false, cutout: 0 },
    { crop: 4, flip: false, cutout: 0 },
    { crop: 0, flip: true, cutout: 0 },
    { crop: 0, flip: false, cutout: 1 },
    { crop: 0, flip: false, cutout: 2 },
    { crop: 0, flip: false, cutout: 3 },
    { crop: 2, flip: true, cutout: 2 },
  ])("%j is so in every channel, as pixel by pixel", (augment) => {
    for (let seed = 0; seed < 100; seed++) {
      const target = new Uint8Array(24).fill(99);
      const [ours, theirs] = [rng(seed, "test"), rng(seed, "test")];
      augmentInto(target, source, shape, augment, { plain: ours, geometry: rng(seed, "unused") });
      expect([...target]).toEqual(byHand(augment, theirs));
      // The next image of the batch goes on with the same stream.
      expect(ours.uniform()).toBe(theirs.uniform());
    }
    expect(CHANNELS).toBe(2);
    expect([...source]).toEqual(Array.from({ length: 24 }, (_, i) => i + 1));
  });
});
