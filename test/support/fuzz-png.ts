import { readFileSync } from "node:fs";
import { decodePng } from "../../src/data/png.ts";
import { type Dice, mutatedBytes } from "./mutate.ts";

const golden = JSON.parse(readFileSync(new URL("../golden/images.json", import.meta.url), "utf8")) as Record<
  string,
  { readonly file: string }
>;
const files = Object.entries(golden).flatMap(([name, { file }]) =>
  name.endsWith(".png") ? [Buffer.from(file, "base64")] : [],
);

/** Damaged PNG files. */
export const png = {
  name: "png",
  run: (dice: Dice): Uint8Array => decodePng(mutatedBytes(dice.pick(files), dice), "x.png").data,
};
