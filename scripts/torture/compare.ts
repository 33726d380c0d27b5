import { existsSync, readdirSync, readFileSync } from "node:fs";
import { checkpointsOf } from "../../src/run/checkpoint.ts";
import { runFiles } from "../../src/run/files.ts";
import { decodeSafetensors } from "../../src/util/safetensors.ts";

/** Equal byte for byte. */
const EXACT = ["config", "metrics", "events", "weights", "best"] as const;

/** Of run.json: the process, and times. */
const TIMES = new Set(["pid", "startedAt", "seconds"]);

/**
 * What differs between two runs that should be the same. Left out are times: of run.json the keys above, of timings.jsonl all but kind,
 * epoch and step of its lines, of the checkpoint the same keys and the length of timings.jsonl. Of checkpoints the newest is
 * compared, because a run that was stopped keeps the one of that moment beside it. A process that was killed after it had written that
 * the run is done leaves its claim.
 */
export function differences(whole: string, hurt: string): string[] {
  const [a, b] = [runFiles(whole), runFiles(hurt)];
  const found: string[] = EXACT.filter((file) => !sameBytes(a[file], b[file]));
  if (recordOf(a.record) !== recordOf(b.record)) found.push("run.json");
  if (timingsOf(a.timings) !== timingsOf(b.timings)) found.push("timings.jsonl");
  if (newestOf(whole) !== newestOf(hurt)) found.push("newest checkpoint");
  const names = (run: string) =>
    readdirSync(run)
      .filter((name) => name !== "claims")
      .sort()
      .join(" ");
  if (names(whole) !== names(hurt)) found.push(`files: ${names(hurt)}, expected ${names(whole)}`);
  const odd = readdirSync(b.checkpoints).filter((name) => !/^step-\d+\.safetensors$/.test(name));
  if (odd.length > 0) found.push(`checkpoints hold ${odd.join(" ")}`);
  return found;
}

export const sameBytes = (a: string, b: string): boolean =>
  existsSync(a) === existsSync(b) && (!existsSync(a) || readFileSync(a).equals(readFileSync(b)));

const withoutTimes = (key: string, value: unknown): unknown => (TIMES.has(key) ? undefined : value);

const recordOf = (path: string): string => JSON.stringify(JSON.parse(readFileSync(path, "utf8"), withoutTimes));

const timingsOf = (path: string): string =>
  existsSync(path)
    ? readFileSync(path, "utf8")
        .trimEnd()
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line))
        .map(({ kind, epoch, step }) => [kind, epoch, step].join())
        .join("\n")
    : "none";

/** Keys in order: those of an object that is taken over from a file stand elsewhere than those of a new one. */
const sorted = (object: object) => Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1));

function newestOf(run: string): string {
  const path = checkpointsOf(run).at(-1);
  if (path === undefined) return "none";
  const { tensors, metadata } = decodeSafetensors(readFileSync(path), path);
  const { timingsBytes: _, ...progress } = JSON.parse(metadata.progress ?? "{}", withoutTimes);
  const vectors = Object.entries(tensors).map(([name, { dtype, shape, data }]) => [
    ...[name, dtype, shape.join()],
    Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64"),
  ]);
  return JSON.stringify([path.slice(run.length), sorted({ ...metadata, progress: sorted(progress) }), vectors.sort()]);
}
