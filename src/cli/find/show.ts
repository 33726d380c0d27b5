import { minimumOf } from "../../search/minimum.ts";
import { isComplete, type TrialStatus } from "../../sweep/status.ts";
import { ConfigError } from "../../util/errors.ts";
import { grouped, short } from "../format.ts";
import { emit, tableHead, tableRow } from "../ui.ts";
import type { Finder } from "./finders.ts";

/** What a short run is. */
interface RunSize {
  readonly epochs: number;
  readonly examples: number;
}

const BAR = 24;
const columns = [
  { title: "", width: 8, align: "right" },
  { title: "validation loss", width: 18, align: "left" },
  { title: "", width: BAR, align: "left" },
] as const;

/** Prints the curve and what to take. ConfigError where no value has all its runs. */
export function showFound(finder: Finder, trials: readonly TrialStatus[], size: RunSize, json: boolean): void {
  const { key, symbol, title } = finder;
  const triedOf = ({ point }: TrialStatus) => point[key] as number;
  const done = trials.filter((trial) => isComplete(trial) && Number.isFinite(trial.summary.mean));
  if (done.length === 0)
    throw new ConfigError(
      `no ${title} has all its runs: ${trials[0]?.runs.find(({ error }) => error)?.error ?? "none is done"}`,
      { key, tried: trials.map(triedOf) },
      "run the same command again, or try smaller values: --from, --to",
    );
  const measured = done.map((trial) => ({ x: triedOf(trial), values: trial.runs.map(({ value }) => value!) }));
  const found = minimumOf(measured);
  const [least, most] = [Math.min, Math.max].map((of) => of(...done.map(({ summary }) => summary.mean))) as [
    number,
    number,
  ];
  const value = Number(found.at.toPrecision(2));
  const failureOf = ({ runs }: TrialStatus) => {
    const failed = runs.find(({ state }) => state !== "done");
    return failed && (failed.error ?? failed.state);
  };
  if (json) {
    for (const trial of trials) {
      const { n, mean, ci95 } = trial.summary;
      emit({
        event: "point",
        key,
        value: triedOf(trial),
        n,
        mean,
        ci95: ci95 ?? null,
        error: failureOf(trial) ?? null,
      });
    }
    emit({ event: "found", key, value, how: found.how, best: found.best.x, tied: found.tied });
    return;
  }
  console.log(tableHead([{ ...columns[0], title: symbol }, ...columns.slice(1)]));
  for (const trial of trials) {
    const failure = failureOf(trial);
    const { mean, ci95 } = trial.summary;
    const text = failure ?? `${short(mean)}${ci95 === undefined ? "" : ` ± ${short(ci95)}`}`;
    const length = failure ? 0 : 1 + Math.round(((BAR - 1) * (mean - least)) / (most - least || 1));
    console.log(tableRow(columns, [short(triedOf(trial)), text, "━".repeat(length)]));
  }
  console.log(`\n${key}=${value}: ${reason(finder, found, done, size)}`);
}

function reason(
  { symbol, key, zero, title }: Finder,
  { best, how, tied }: ReturnType<typeof minimumOf>,
  done: readonly TrialStatus[],
  { epochs, examples }: RunSize,
): string {
  const n = best.values.length;
  const of = `mean validation loss of ${n} run${n === 1 ? "" : "s"} of ${epochs} epoch${epochs === 1 ? "" : "s"} on ${grouped(examples)} examples`;
  const parts = [`the lowest ${of} is at ${symbol} = ${short(best.x)}`];
  if (how === "parabola") parts.push("a parabola through it and its neighbours is lowest here");
  if (how === "edge")
    parts.push(
      `it lies at an end of the values tried: ${isFirst(best.x, done, key) ? "a smaller --from" : "a larger --to"} may be better`,
    );
  if (best.x === 0) parts.push(`no ${title} did better than ${zero}`);
  if (done.length > 1)
    parts.push(
      tied.length > 0
        ? `the seeds do not tell it from ${tied.map(short).join(", ")}`
        : "the seeds tell it from all others",
    );
  return `${parts.join("; ")}.`;
}

const isFirst = (x: number, done: readonly TrialStatus[], key: string): boolean =>
  done.every(({ point }) => point[key] === 0 || (point[key] as number) >= x);
