import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { measured, parseJson } from "../run/lines.ts";
import type { Point } from "../search/space.ts";
import { makeFolder, writeAtomic } from "../util/files.ts";

const trialFile = z.object({
  version: z.literal(1),
  number: z.int().min(0),
  point: z.record(z.string(), z.unknown()).transform((point) => point as Point),
  /** The trials that had results when this one was proposed. */
  after: z.array(z.int()),
  /** What it was worth at each rung, the mean over seeds, and whether it went on; rungs are epochs. */
  rungs: z.array(z.object({ epoch: z.int().min(1), value: measured, goesOn: z.boolean() })),
});

/** A trial that was proposed while a sweep ran: kept, so that a sweep goes on with the same. */
export type ProposedTrial = Omit<z.output<typeof trialFile>, "version">;

const folderOf = (out: string): string => join(out, "trials");

/** The trials that were proposed in the folder of a sweep, by number. InputError where one is damaged. */
export function readTrials(out: string): ProposedTrial[] {
  const folder = folderOf(out);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /^\d+\.json$/.test(name))
    .sort()
    .map((name) => {
      const path = join(folder, name);
      return parseJson(readFileSync(path, "utf8"), trialFile, path, "was it edited? Begin the sweep in another folder");
    });
}

/** Keeps a trial, whole or not at all. */
export function writeTrial(out: string, trial: ProposedTrial): void {
  makeFolder(folderOf(out));
  const path = join(folderOf(out), `${String(trial.number).padStart(5, "0")}.json`);
  writeAtomic(path, `${JSON.stringify({ version: 1, ...trial })}\n`);
}
