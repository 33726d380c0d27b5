import type { Phase } from "../../optim/phases.ts";
import type { RunResult, Tally } from "../../train/records.ts";
import { grouped, percent, short } from "../format.ts";
import { ruleNames } from "./rules.ts";

/** Where the second column begins. */
export const TALLY_INDENT = 10;

/** What a run did, as lines of a table: steps by rule, estimates of v and what came of them, clipping, and where the time went. */
export function tallyLines({ tally, seconds }: Pick<RunResult, "tally" | "seconds">): string[] {
  if (tally === undefined) return [];
  const steps = Object.values(tally.rules).reduce((sum, count) => sum + count, 0);
  return [
    `steps     ${grouped(steps)}: ${rulesOf(tally)}`,
    ...(tally.estimates === 0 && tally.alongV === 0 ? [] : [`v         ${vOf(tally, steps)}`]),
    ...(tally.clipped === 0 ? [] : [`clipped   ${grouped(tally.clipped)} of ${grouped(steps)} steps`]),
    `time      ${timeOf(tally, seconds)}`,
  ];
}

const rulesOf = ({ rules }: Tally): string =>
  (Object.entries(rules) as [Phase, number][])
    .filter(([, count]) => count > 0)
    .map(([rule, count]) => `${grouped(count)} ${ruleNames[rule]}`)
    .join(", ");

function vOf({ estimates, good, alongV, alignment }: Tally, steps: number): string {
  const mean = alongV === 0 ? "" : `, mean |cos(ε, v̂)| ${short(alignment / alongV)}`;
  return `${grouped(estimates)} ${estimates === 1 ? "estimate" : "estimates"}, ${grouped(good)} good; ${grouped(alongV)} of ${grouped(steps)} steps along v̂${mean}`;
}

function timeOf({ seconds: spent }: Tally, seconds: number): string {
  const parts = [
    ["steps", spent.steps],
    ["estimates of v", spent.estimates],
    ["probe", spent.probe],
    ["waiting for data", spent.data],
  ] as const;
  const rest = seconds - parts.reduce((sum, [, part]) => sum + part, 0);
  return [...parts, ["scoring, saving and the rest", Math.max(0, rest)] as const]
    .filter(([, part]) => part > 0.0005 * seconds)
    .map(([what, part]) => `${percent(part / seconds)} ${what}`)
    .join(", ");
}
