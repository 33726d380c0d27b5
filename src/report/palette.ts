import type { TrainingMethodName } from "../optim/methods.ts";
import type { Group } from "./groups.ts";

/** Okabe & Ito's colours, told apart with any colour vision; a method keeps its own in every figure. */
const colours: Readonly<Record<string, string>> = {
  sgd: "#6b7280",
  sam: "#0072b2",
  "eigen-sam": "#d55e00",
  usam: "#56b4e9",
  asam: "#009e73",
  "reverse-sam": "#cc79a7",
  egr: "#b59f00",
  "third-order": "#5b3fa0",
} satisfies Readonly<Record<TrainingMethodName, string>>;

/** The colour of a method that names none. */
const OTHER = "#111827";

const DASHES: readonly (readonly number[])[] = [
  [1, 0],
  [7, 3],
  [2, 2.5],
  [9, 3, 2, 3],
];

/** How a group is drawn. */
export interface Style {
  readonly colour: string;
  readonly dash: readonly number[];
}

/** Groups of one method differ by the dash of the line, and where dashes run out by a lighter shade as well. */
export function stylesOf(groups: readonly Group[]): ReadonlyMap<string, Style> {
  const seen = new Map<string, number>();
  return new Map(
    groups.map(({ label, method, runs }) => {
      const colour = runs[0]!.record.method?.colour ?? colours[method] ?? OTHER;
      const nth = seen.get(method) ?? 0;
      seen.set(method, nth + 1);
      const shade = 0.7 ** Math.floor(nth / DASHES.length);
      return [label, { colour: lighter(colour, shade), dash: DASHES[nth % DASHES.length]! }];
    }),
  );
}

/** `strength` of the colour, the rest white. */
function lighter(colour: string, strength: number): string {
  const channels = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
  const mixed = channels.map((c) => Math.round(255 - strength * (255 - c)));
  return `#${mixed.map((c) => c.toString(16).padStart(2, "0")).join("")}`;
}
