import { DataError } from "../util/errors.ts";

/** A decoded image, [height, width, channels]: grey has one channel, colour three. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly data: Uint8Array;
}

/** Pixels of one image: no photograph here has more, and a header may claim any number. */
export const MOST_PIXELS = 2 ** 26;

/** @throws DataError where an image has no pixels or too many; called before memory is taken for them */
export function assertSize(width: number, height: number, path: string): void {
  if (width * height === 0)
    throw new DataError(`${path}: its header says ${width} × ${height} pixels`, { path, width, height }, SAVE_AGAIN);
  if (width * height > MOST_PIXELS)
    throw new DataError(
      `${path}: ${width} × ${height} pixels, the most is ${MOST_PIXELS}`,
      { path, width, height },
      "make it smaller before",
    );
}

export const SAVE_AGAIN = "fetch or save it again, or take it out of the folder";

export const damaged = (path: string, kind: string, why: string): DataError =>
  new DataError(`${path}: damaged ${kind}: ${why}`, { path }, SAVE_AGAIN);
