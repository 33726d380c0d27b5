import { DataError } from "../util/errors.ts";
import { readBytes } from "./files.ts";
import { decodeJpeg } from "./jpeg.ts";
import { SAVE_AGAIN, type Picture } from "./picture.ts";
import { decodePng } from "./png.ts";

const KINDS = [
  { kind: "PNG", names: /\.png$/i, begin: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a], decode: decodePng },
  { kind: "JPEG", names: /\.jpe?g$/i, begin: [0xff, 0xd8, 0xff], decode: decodeJpeg },
] as const;

/** Whether a file is called as images are that are read here. */
export const isImageName = (path: string): boolean => KINDS.some(({ names }) => names.test(path));

/**
 * Reads a PNG or JPEG.
 * @throws DataError where it is damaged, too large, or something else than its name says
 */
export async function readImageFile(path: string): Promise<Picture> {
  const bytes = readBytes(path);
  const named = KINDS.find(({ names }) => names.test(path));
  const found = KINDS.find(({ begin }) => begin.every((byte, i) => bytes[i] === byte));
  if (named === undefined || found !== named)
    throw new DataError(
      `${path}: ${found ? `a ${found.kind}` : "neither PNG nor JPEG"}, ${named ? `but called as a ${named.kind} is` : "and not called as either is"}`,
      { path },
      found ? "give it the ending of what it is" : SAVE_AGAIN,
    );
  return found.decode(bytes, path);
}
