import { readFileSync } from "node:fs";
import { basename, dirname, extname, join, resolve } from "node:path";
import type { TrainSettings } from "../train/settings.ts";
import { ConfigError, InputError } from "../util/errors.ts";
import { isSystemError, reasonOf } from "../util/system-errors.ts";
import { type SearchName, type SweepDefinition, sweepOf } from "./definition.ts";
import { readPlan, type SweepTexts, takeUpPlan, withThreads } from "./plan-file.ts";
import { readTrials } from "./trial-files.ts";
import { fixedTrials, isFixed, type Resolvable, type SweepTrial, trialOf } from "./trials.ts";

/** A sweep in its folder. */
export interface Sweep extends Resolvable {
  readonly definition: SweepDefinition;
  readonly texts: SweepTexts;
  /** Where runs and records go. */
  readonly out: string;
  /** Threads of runs whose settings leave them open; undefined where it was not begun. */
  readonly threads: number | undefined;
}

interface Options {
  readonly settings: TrainSettings;
  /** In place of the folder that is named after the sweep. */
  readonly out?: string | undefined;
  /** In place of the search that the file asks for. */
  readonly by?: SearchName | undefined;
}

/** The sweep that a TOML file defines. Nothing is written. */
export function sweepOfFile(file: string, { settings, out, by }: Options): Sweep {
  const toml = textOf(file);
  let base: string | undefined;
  const definition = sweepOf(toml, {
    source: file,
    fallbackName: basename(file, extname(file)),
    by,
    read: (path) => (base = textOf(resolve(dirname(file), path))),
  });
  const { name } = definition;
  const texts = { name, toml, ...(base === undefined ? {} : { base }), ...(by === undefined ? {} : { by }) };
  const folder = out ?? join("runs", name);
  return { definition, settings, texts, out: folder, threads: readPlan(folder)?.threads };
}

/** The sweep that texts define, with its folder. Nothing is written. */
export function sweepOfTexts(texts: SweepTexts, out: string, settings: TrainSettings, source = texts.name): Sweep {
  const definition = sweepOf(texts.toml, {
    source,
    fallbackName: texts.name,
    by: texts.by as SearchName | undefined,
    read: () => texts.base ?? "",
  });
  // A file's own name counts where it gives none.
  return { definition: { ...definition, name: texts.name }, settings, texts, out, threads: readPlan(out)?.threads };
}

/** The sweep that was begun in a folder. InputError where none was. */
export function sweepIn(out: string, settings: TrainSettings): Sweep {
  const plan = readPlan(out);
  if (plan?.sweep === undefined)
    throw new InputError(`${out} holds no sweep`, { out }, "eigensam sweep run FILE.toml begins one");
  return sweepOfTexts(plan.sweep, out, settings, join(out, "plan.json"));
}

/** Makes the folder of a sweep, or takes up the one that holds the same. ConfigError where it holds another. */
export function begin(sweep: Sweep, threads: number): Sweep & { readonly threads: number } {
  const { definition, out, texts } = sweep;
  const decided = takeUpPlan(out, { threads: definition.threads ?? threads, sweep: texts }, (before) => {
    if (before.sweep === undefined) return ["runs that no sweep began"];
    const other = sweepIn(out, sweep.settings).definition;
    const [was, is] = [comparable(other), comparable(definition)];
    const changed = Object.keys(is).filter((key) => was[key] !== is[key]);
    return changed.length === 0 ? [] : [`changed: ${changed.join(", ")}`];
  });
  return { ...sweep, threads: decided };
}

/** What must not change while a sweep is under way, as text. Where it runs may. */
function comparable({ slurm: _, kubernetes: __, space, listed, ...rest }: SweepDefinition): Record<string, string> {
  const values = { ...rest, "values that vary": [space, listed] };
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, JSON.stringify(value) ?? ""]));
}

/** The trials of a sweep: all where they are known at the outset, else those that were proposed. Runs have their threads. */
export function trialsOf(sweep: Sweep): SweepTrial[] {
  const trials = isFixed(sweep.definition)
    ? fixedTrials(sweep)
    : readTrials(sweep.out).map(({ number, point }) => trialOf(sweep, number, point));
  return trials.map((trial) => threaded(sweep, trial));
}

/** A trial whose runs have the threads of their sweep. */
export const threaded = ({ threads }: Pick<Sweep, "threads">, trial: SweepTrial): SweepTrial =>
  threads === undefined ? trial : { ...trial, runs: trial.runs.map((run) => withThreads(run, threads)) };

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new ConfigError(`${path} cannot be read: ${reasonOf(error).why}`, { path }, "give the TOML file of a sweep");
  }
}
