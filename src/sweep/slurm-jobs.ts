import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { parseJson } from "../run/lines.ts";
import { writeAtomic } from "../util/files.ts";

const jobLine = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("submitted"),
    job: z.string(),
    /** What the number of an element lacks to the number of its run. */
    offset: z.int().min(0),
    array: z.string(),
    at: z.string(),
  }),
  z.object({ kind: z.literal("cancelled"), job: z.string(), at: z.string() }),
]);

type JobLine = z.output<typeof jobLine>;

/** An array job that was submitted for a sweep. */
export type SlurmJob = Extract<JobLine, { kind: "submitted" }>;

const pathOf = (out: string): string => join(out, "slurm.jsonl");

const linesIn = (out: string): JobLine[] => {
  const path = pathOf(out);
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8")
    .trimEnd()
    .split("\n")
    .map((text, i) => parseJson(text, jobLine, `${path}: line ${i + 1}`, "remove the line; it names jobs of Slurm"));
};

/** The array jobs that were submitted for the sweep in a folder, but for those that were cancelled. InputError where the list is damaged. */
export function jobsOf(out: string): SlurmJob[] {
  const cancelled = cancelledIn(out);
  return linesIn(out).filter((line): line is SlurmJob => line.kind === "submitted" && !cancelled.has(line.job));
}

/** The jobs that `sweep cancel` has ended. */
export const cancelledIn = (out: string): ReadonlySet<string> =>
  new Set(linesIn(out).flatMap((line) => (line.kind === "cancelled" ? [line.job] : [])));

/** Keeps what was done with a job, with all that was kept before or not at all. */
export function recordJob(out: string, line: JobLine): void {
  const all = [...linesIn(out), line];
  writeAtomic(pathOf(out), all.map((each) => `${JSON.stringify(each)}\n`).join(""));
}

/** What squeue says of an element of an array job. */
export interface QueuedElement {
  readonly job: string;
  readonly element: number;
  readonly state: "queued" | "running";
}

/** Reads what `squeue --format="%F %K %T"` prints: job, element, state. */
export const queueOf = (text: string): QueuedElement[] =>
  text.split("\n").flatMap((row) => {
    const [job = "", element = "", state = ""] = row.trim().split(/\s+/);
    if (!/^\d+$/.test(element)) return [];
    return [{ job, element: Number(element), state: /^(PENDING|REQUEUE)/.test(state) ? "queued" : "running" }];
  });

/** The runs, by number, that jobs of a sweep will make or are making. */
export function activeRuns(
  jobs: readonly SlurmJob[],
  queue: readonly QueuedElement[],
): Map<number, QueuedElement["state"]> {
  const offsets = new Map(jobs.map(({ job, offset }) => [job, offset]));
  return new Map(
    queue.flatMap(({ job, element, state }) => {
      const offset = offsets.get(job);
      return offset === undefined ? [] : [[offset + element, state] as const];
    }),
  );
}
