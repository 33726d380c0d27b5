import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import decode, { init } from "@jsquash/jpeg/decode.js";
import { DataError } from "../util/errors.ts";
import { assertSize, damaged, type Picture } from "./picture.ts";

/** What the codec says of a file, as libjpeg puts it. */
const said: string[] = [];

/** Whether there is a codec; one that gave up is not used again. */
let ready = false;

/**
 * The pixels of a JPEG, as libjpeg and so Pillow decode it. The orientation in its EXIF part is not applied, as Pillow and torchvision
 * do not.
 * @throws DataError where the file is damaged, or neither grey nor colour
 */
export async function decodeJpeg(bytes: Uint8Array, path: string): Promise<Picture> {
  const { width, height, components } = headerOf(bytes, path);
  assertSize(width, height, path);
  if (components !== 1 && components !== 3)
    throw new DataError(
      `${path}: a JPEG of ${components} components, such as CMYK`,
      { path, components },
      "save it in grey or RGB",
    );
  const rgba = await decodedJpeg(bytes, path);
  const data = new Uint8Array(width * height * components);
  if (rgba.length !== 4 * width * height) throw damaged(path, "JPEG", "other pixels than its header says");
  for (let i = 0; i < width * height; i++)
    for (let c = 0; c < components; c++) data[i * components + c] = rgba[i * 4 + c]!;
  return { width, height, channels: components, data };
}

async function decodedJpeg(bytes: Uint8Array, path: string): Promise<Uint8ClampedArray> {
  if (!ready) await initialized();
  ready = false;
  said.length = 0;
  try {
    const { data } = (await decode(bytes as unknown as ArrayBuffer)) as { readonly data: Uint8ClampedArray };
    ready = true;
    // libjpeg fills what is missing with grey; Pillow refuses such a file, too.
    const early = said.find((text) => /premature end/i.test(text));
    if (early !== undefined) throw damaged(path, "JPEG", early);
    return data;
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw damaged(path, "JPEG", said.at(-1) ?? "it cannot be decoded");
  }
}

async function initialized(): Promise<void> {
  const require = createRequire(import.meta.url);
  // Without its bytes the codec would fetch itself, as in a browser.
  const wasmBinary = readFileSync(require.resolve("@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm"));
  await (init as (options: object) => Promise<void>)({ wasmBinary, printErr: (text: string) => said.push(text) });
}

/** Size and components as the first frame's header has them (ITU-T T.81, B.2.2). */
function headerOf(bytes: Uint8Array, path: string) {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 2; at + 10 <= view.length; ) {
    if (view[at] !== 0xff) throw damaged(path, "JPEG", "no marker where one must be");
    const marker = view[at + 1]!;
    // A marker may have bytes 255 before it.
    if (marker === 0xff) at += 1;
    else if (marker >= 0xc0 && marker <= 0xcf && !NO_FRAMES.has(marker))
      return { height: view.readUInt16BE(at + 5), width: view.readUInt16BE(at + 7), components: view[at + 9]! };
    else if (marker === 0xda || marker === 0xd9) break;
    else at += 2 + view.readUInt16BE(at + 2);
  }
  throw damaged(path, "JPEG", "no header of a frame");
}

/** Markers among those of frames: Huffman tables, an extension, arithmetic conditioning. */
const NO_FRAMES: ReadonlySet<number> = new Set([0xc4, 0xc8, 0xcc]);
