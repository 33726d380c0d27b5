import { readFileSync } from "node:fs";
import { crc32, deflateSync, inflateSync } from "node:zlib";
import { decodePng } from "../../src/data/png.ts";
import { type Dice, mutatedBytes } from "./mutate.ts";

const golden = JSON.parse(readFileSync(new URL("../golden/images.json", import.meta.url), "utf8")) as Record<
  string,
  { readonly file: string }
>;
const of = (kind: string): Buffer[] =>
  Object.entries(golden).flatMap(([name, { file }]) => (name.endsWith(kind) ? [Buffer.from(file, "base64")] : []));

/** Whole files to be damaged. */
export const pictures = { png: of(".png"), jpeg: of(".jpg") };

const SIGNATURE = 8;

/** A file whose chunks are damaged behind right checksums in most cases, pixels before they are compressed in some. */
export function damagedPng(file: Buffer, dice: Dice): Buffer {
  if (dice.chance(0.2)) return mutatedBytes(file, dice);
  const chunks: { readonly type: string; readonly data: Buffer }[] = [];
  for (let at = SIGNATURE; at < file.length; at += 12 + file.readUInt32BE(at))
    chunks.push({
      type: file.toString("latin1", at + 4, at + 8),
      data: file.subarray(at + 8, at + 8 + file.readUInt32BE(at)),
    });
  const at = dice.below(chunks.length);
  const { type, data } = chunks[at]!;
  const inner = type === "IDAT" && chunks.filter((each) => each.type === "IDAT").length === 1 && dice.chance(0.7);
  chunks[at] = { type, data: inner ? deflateSync(mutatedBytes(inflateSync(data), dice)) : mutatedBytes(data, dice) };
  if (dice.chance(0.1)) chunks.splice(dice.below(chunks.length), 1);
  return Buffer.concat([file.subarray(0, SIGNATURE), ...chunks.map(chunkOf)]);
}

function chunkOf({ type, data }: { readonly type: string; readonly data: Buffer }): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

/** Damaged PNG files. */
export const png = {
  name: "png",
  opens: [],
  run: (dice: Dice): Uint8Array => decodePng(damagedPng(dice.pick(pictures.png), dice), "x.png").data,
};
