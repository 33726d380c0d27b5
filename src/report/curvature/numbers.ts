/** Three significant digits, with an exponent where a fixed point would be long; a dash for what is not finite. */
export function number(x: number): string {
  if (!Number.isFinite(x)) return "–";
  const size = Math.abs(x);
  if (size === 0) return "0";
  if (size >= 1e-3 && size < 1e6) return minus(x.toFixed(decimalsFor(size, 3)));
  return minus(x.toExponential(2).replace("e+", "e"));
}

/** A number with its standard error, whose two significant digits say how many digits of the number are worth printing. */
export function withError(x: number, stderr: number): string {
  if (!(stderr > 0 && Number.isFinite(stderr) && Number.isFinite(x))) return number(x);
  const least = Math.max(Math.abs(x), stderr);
  if (least < 1e-3 || least >= 1e6 || stderr < 1e-6) return `${number(x)} ± ${number(stderr)}`;
  const decimals = decimalsFor(stderr, 2);
  return `${minus(x.toFixed(decimals))} ± ${stderr.toFixed(decimals)}`;
}

export const count = (n: number): string => n.toLocaleString("en-US");

const decimalsFor = (size: number, significant: number): number =>
  Math.max(0, significant - 1 - Math.floor(Math.log10(size)));

const minus = (text: string): string => text.replaceAll("-", "−");

/** 12 → ₁₂. */
export const subscript = (n: number): string =>
  [...String(n)].map((digit) => String.fromCodePoint(0x2080 + Number(digit))).join("");

/** −12 → ⁻¹². */
export const superscript = (n: number): string => [...String(n)].map((character) => RAISED[character]!).join("");

const RAISED: Readonly<Record<string, string>> = Object.fromEntries(
  [..."⁰¹²³⁴⁵⁶⁷⁸⁹"].map((raised, digit) => [digit, raised]).concat([["-", "⁻"]]),
);

/** Index of the i-th smallest eigenvalue of d, from i = 0: d, d−1, d−2, … */
export const fromBottom = (i: number): string => (i === 0 ? "d" : `d−${i}`);
