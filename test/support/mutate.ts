import type { Rng } from "../../src/util/rng.ts";

/** Numbers at which readers break: ends of integer types, 2^60, and what is no number at all. */
const EDGES = [0, 1, 2, 3, 127, 128, 255, 256, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];
const WORDS = [
  ..."0 -1 1 2 1e999 -0 0.5 .5 1. 1e-400 4294967296 9007199254740993 18446744073709551616 1152921504606846976".split(
    " ",
  ),
  ...'NaN null true [] {} "" "constructor" "__proto__" 2024-01-01 inf <script> ../../etc \u0000 \u00e9 \ud83d\ude00'.split(
    " ",
  ),
];

export type Pick = <T>(from: readonly T[]) => T;

export interface Dice {
  readonly below: (n: number) => number;
  readonly pick: Pick;
  readonly chance: (p: number) => boolean;
}

export function diceOf(random: Rng): Dice {
  const below = (n: number) => Math.floor(random.uniform() * n);
  return { below, pick: (from) => from[below(from.length)]!, chance: (p) => random.uniform() < p };
}

/** Bytes changed in one to four places: numbers at any width and order, cuts, repeats, swaps; early bytes twice as often. */
export function mutatedBytes(bytes: Uint8Array, dice: Dice): Buffer {
  let result: Buffer = Buffer.from(bytes);
  for (let left = 1 + dice.below(4); left > 0; left--) result = changed(result, dice);
  return result;
}

function changed(bytes: Buffer, { below, pick, chance }: Dice): Buffer {
  if (bytes.length < 16) return Buffer.concat([bytes, Buffer.from([below(256)])]);
  const at = below(chance(0.5) ? Math.min(bytes.length, 600) : bytes.length);
  const length = Math.min(bytes.length - at, 1 + below(chance(0.5) ? 8 : bytes.length));
  const result = Buffer.from(bytes);
  switch (below(8)) {
    case 0:
      result[at] = below(256);
      return result;
    case 1:
      result[at] = result[at]! ^ (1 << below(8));
      return result;
    case 2:
    case 3: {
      const [width, little] = [pick([1, 2, 4, 8] as const), chance(0.5)];
      const start = Math.min(at & ~(width - 1), bytes.length - width);
      const edge = pick(EDGES) >>> 0;
      const value = width === 8 ? pick([BigInt(edge), 2n ** 60n, 2n ** 63n, 2n ** 64n - 1n]) : BigInt(edge);
      for (let i = 0; i < width; i++)
        result[start + (little ? i : width - 1 - i)] = Number((value >> BigInt(8 * i)) & 255n);
      return result;
    }
    case 4:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
    case 5:
      return Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)]);
    case 6:
      return Buffer.from(bytes.subarray(0, at));
    default:
      return Buffer.concat([bytes.subarray(0, at), Buffer.alloc(length, below(256)), bytes.subarray(at)]);
  }
}

/** Text changed in its tokens: numbers, names and quoted texts replaced, removed, repeated or nested deeply. */
export function mutatedText(text: string, dice: Dice): string {
  let result = text;
  for (let left = 1 + dice.below(3); left > 0; left--) result = reworded(result, dice);
  return result;
}

function reworded(text: string, { below, pick, chance }: Dice): string {
  const tokens = [...text.matchAll(/"[^"]*"|'[^']*'|[\w.+-]+|[[\]{}(),:=]/g)];
  if (tokens.length === 0) return pick(WORDS);
  const { index, 0: token } = pick(tokens);
  const [before, after] = [text.slice(0, index), text.slice(index + token.length)];
  const deep = pick([20, 2000, 100_000]);
  switch (below(9)) {
    case 0:
    case 1:
    case 2:
      return before + pick(WORDS) + after;
    case 3:
      return before + pick(tokens)[0] + after;
    case 4:
      return before + after;
    case 5:
      return `${before}${token}${token}${after}`;
    case 6:
      return chance(0.3) ? `${before}${pick(["[", "{", "("]).repeat(deep)}${after}` : `${before}"${token}"${after}`;
    case 7:
      return chance(0.3) ? `${before}${"[".repeat(deep)}${"]".repeat(deep)}${after}` : text.slice(0, index);
    default: {
      const lines = text.split("\n");
      lines.splice(below(lines.length), chance(0.5) ? 1 : 0, pick(lines));
      return lines.join("\n");
    }
  }
}
