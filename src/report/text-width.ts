import { readFileSync } from "node:fs";

/** Width of a text in multiples of the font size. */
export type TextWidth = (text: string) => number;

/** Measures text in a TrueType font by its advance widths, without kerning: tables head, hhea, hmtx and cmap of the OpenType specification. */
export function textWidthIn(file: string): TextWidth {
  const font = readFileSync(file);
  const table = (tag: string): number => {
    for (let i = 0; i < font.readUInt16BE(4); i++) {
      const record = 12 + 16 * i;
      if (font.toString("latin1", record, record + 4) === tag) return font.readUInt32BE(record + 8);
    }
    throw new Error(`${file} has no table ${tag}`);
  };
  const unitsPerEm = font.readUInt16BE(table("head") + 18);
  const metrics = font.readUInt16BE(table("hhea") + 34);
  const widths = table("hmtx");
  const glyphOf = glyphsOf(font, table("cmap"));
  // All glyphs behind the last metric have its width.
  const advance = (glyph: number) => font.readUInt16BE(widths + 4 * Math.min(glyph, metrics - 1)) / unitsPerEm;
  return (text) => [...text].reduce((sum, character) => sum + advance(glyphOf(character.codePointAt(0)!)), 0);
}

/** Glyphs of code points below 2¹⁶ by the segments of a cmap subtable of format 4; 0, the box, for all others. */
function glyphsOf(font: Buffer, cmap: number): (code: number) => number {
  const subtables = Array.from(
    { length: font.readUInt16BE(cmap + 2) },
    (_, i) => cmap + font.readUInt32BE(cmap + 8 + 8 * i),
  );
  const at = subtables.find((subtable) => font.readUInt16BE(subtable) === 4)!;
  const twice = font.readUInt16BE(at + 6);
  const [ends, starts] = [at + 14, at + 16 + twice];
  return (code) => {
    for (let i = 0; i < twice; i += 2) {
      if (code > font.readUInt16BE(ends + i)) continue;
      if (code < font.readUInt16BE(starts + i)) return 0;
      const delta = font.readUInt16BE(starts + twice + i);
      const offsets = starts + 2 * twice + i;
      const offset = font.readUInt16BE(offsets);
      if (offset === 0) return (code + delta) & 0xffff;
      const glyph = font.readUInt16BE(offsets + offset + 2 * (code - font.readUInt16BE(starts + i)));
      return glyph === 0 ? 0 : (glyph + delta) & 0xffff;
    }
    return 0;
  };
}
