import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { textWidthIn } from "../src/report/text-width.ts";

const fonts = join(dirname(createRequire(import.meta.url).resolve("dejavu-fonts-ttf/package.json")), "ttf");

/** Sums of advance widths by fontTools 4; both fonts have 2,048 units to the em. */
const texts = [
  ["0", 1303, 1425],
  ["SGD", 4464, 4856],
  ["Eigen-SAM (free)", 17260, 19626],
  ["λ₁ logarithmic", 14263, 16062],
] as const;

it.each(texts)("the text %s is as wide as its glyphs", (text, regular, bold) => {
  expect(2048 * textWidthIn(join(fonts, "DejaVuSans.ttf"))(text)).toBe(regular);
  expect(2048 * textWidthIn(join(fonts, "DejaVuSans-Bold.ttf"))(text)).toBe(bold);
});

it("a character that the font lacks is as wide as the box that stands for it", () => {
  const width = textWidthIn(join(fonts, "DejaVuSans.ttf"));
  expect(2048 * width("中")).toBe(1229);
  expect(width("🗻")).toBe(width("中"));
});
