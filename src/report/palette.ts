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

/** Each group has a colour of its own while colours last, the first of a method its method's; groups of one method differ by the dash, too. */
export function stylesOf(groups: readonly Group[]): ReadonlyMap<string, LineStyle> {
  const colours = coloursOf(groups);
  const seen = new Map<string, number>();
  return new Map(
    groups.map(({ label, method }, i) => {
      const nth = seen.get(method) ?? 0;
      seen.set(method, nth + 1);
      const shade = 0.7 ** Math.floor(i / (SPARE.length * DASHES.length));
      return [label, { colour: lighter(colours[i]!, shade), dash: DASHES[nth % DASHES.length]! }];
    }),
  );
}

/** Orange is Okabe & Ito's colour that no built-in method has. */
const SPARE = ["#e69f00", ...Object.values(trainingMethods).flatMap(({ colour }) => colour ?? [])];

/** The first group of a method has the method's own colour, unless another has it already; all others spare ones that none here has. */
function coloursOf(groups: readonly Group[]): readonly string[] {
  const chosen: string[] = [];
  const first = (method: string) => groups.findIndex((group) => group.method === method);
  for (const [i, { method, runs }] of groups.entries()) {
    const own = methodOf(runs[0]!.record).colour?.toLowerCase();
    if (first(method) === i && own !== undefined && /^#[0-9a-f]{6}$/.test(own) && !chosen.includes(own))
      chosen[i] = own;
  }
  return groups.map((_, i) => {
    chosen[i] ??= SPARE.find((colour) => !chosen.includes(colour)) ?? SPARE[i % SPARE.length]!;
    return chosen[i];
  });
}

/** `strength` of the colour, the rest white. */
function lighter(colour: string, strength: number): string {
  const channels = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
  const mixed = channels.map((c) => Math.round(255 - strength * (255 - c)));
  return `#${mixed.map((c) => c.toString(16).padStart(2, "0")).join("")}`;
}
