import type { LineStyle } from "./figures/band-chart.ts";
import type { Group } from "./groups.ts";
import { trainingMethods } from "../optim/methods/index.ts";
import { methodOf } from "./method.ts";

const DASHES: readonly (readonly number[])[] = [
  [1, 0],
  [7, 3],
  [2, 2.5],
  [9, 3, 2, 3],
];

/** Groups of one method differ by the dash of the line, and where dashes run out by a lighter shade as well. */
export function stylesOf(groups: readonly Group[]): ReadonlyMap<string, LineStyle> {
  const byMethod = coloursOf(groups);
  const seen = new Map<string, number>();
  return new Map(
    groups.map(({ label, method }) => {
      const nth = seen.get(method) ?? 0;
      seen.set(method, nth + 1);
      const shade = 0.7 ** Math.floor(nth / DASHES.length);
      return [label, { colour: lighter(byMethod.get(method)!, shade), dash: DASHES[nth % DASHES.length]! }];
    }),
  );
}

/** Orange is Okabe & Ito's colour that no built-in method has. */
const SPARE = ["#e69f00", ...Object.values(trainingMethods).flatMap(({ colour }) => colour ?? [])];

/** A colour for each method: its own, unless another method here has it already; or else a spare one that none here has. */
function coloursOf(groups: readonly Group[]): ReadonlyMap<string, string> {
  const chosen = new Map<string, string>();
  const taken = () => [...chosen.values()];
  for (const { method, runs } of groups) {
    const own = methodOf(runs[0]!.record).colour?.toLowerCase();
    if (own !== undefined && /^#[0-9a-f]{6}$/.test(own) && !taken().includes(own)) chosen.set(method, own);
  }
  const without = new Set(groups.map(({ method }) => method).filter((method) => !chosen.has(method)));
  for (const method of without) {
    const free = SPARE.find((colour) => !taken().includes(colour));
    chosen.set(method, free ?? SPARE[chosen.size % SPARE.length]!);
  }
  return chosen;
}

/** `strength` of the colour, the rest white. */
function lighter(colour: string, strength: number): string {
  const channels = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
  const mixed = channels.map((c) => Math.round(255 - strength * (255 - c)));
  return `#${mixed.map((c) => c.toString(16).padStart(2, "0")).join("")}`;
}
