import type { TrainingMethodName } from "../optim/methods.ts";
import type { Group } from "./groups.ts";

/** Okabe & Ito's colours, told apart with any colour vision; a method keeps its own in every figure. */
const colours: Readonly<Record<TrainingMethodName, string>> = {
  sgd: "#6b7280",
  sam: "#0072b2",
  "eigen-sam": "#d55e00",
  usam: "#56b4e9",
  asam: "#009e73",
  "reverse-sam": "#cc79a7",
  egr: "#b59f00",
  "third-order": "#5b3fa0",
};

/** Groups of one method share its colour and differ by the dash of the line. */
export const DASHES: readonly (readonly number[])[] = [
  [1, 0],
  [6, 3],
  [2, 2],
  [8, 3, 2, 3],
];

export interface Style {
  readonly colour: string;
  readonly dash: readonly number[];
}

export function stylesOf(groups: readonly Group[]): Map<string, Style> {
  const seen = new Map<string, number>();
  return new Map(
    groups.map(({ label, method }) => {
      const nth = seen.get(method) ?? 0;
      seen.set(method, nth + 1);
      return [label, { colour: colours[method], dash: DASHES[nth % DASHES.length]! }];
    }),
  );
}
