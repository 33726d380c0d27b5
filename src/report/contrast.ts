/** Least contrast of coloured text (WCAG 2.1, 1.4.11: graphics that are needed to understand the content). */
const LEAST = 3;

const channelsOf = (colour: string): number[] =>
  [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255);

/** Contrast of a colour "#rrggbb" with white, from 1 for white to 21 for black (WCAG 2.1). */
export function contrastOnWhite(colour: string): number {
  const [red, green, blue] = channelsOf(colour).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 1.05 / (0.2126 * red! + 0.7152 * green! + 0.0722 * blue! + 0.05);
}

/** The colour itself where text of it is readable on white, or else a darker one of the same hue. */
export function readable(colour: string): string {
  let dark = colour;
  for (let strength = 0.95; contrastOnWhite(dark) < LEAST; strength -= 0.05) {
    const channels = channelsOf(colour).map((c) => Math.round(255 * strength * c));
    dark = `#${channels.map((c) => c.toString(16).padStart(2, "0")).join("")}`;
  }
  return dark;
}
