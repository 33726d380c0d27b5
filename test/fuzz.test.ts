import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { InvalidArgumentError } from "commander";
import { describe, expect, it } from "vitest";
import { EigensamError } from "../src/util/errors.ts";
import { inPackage } from "../src/util/package.ts";
import { rng } from "../src/util/rng.ts";
import type { FuzzTarget } from "./support/fuzz-target.ts";
import { fuzzTargets } from "./support/fuzz-targets.ts";
import { diceOf } from "./support/mutate.ts";

/**
 * Every reader on damaged files: each ends within a second and in bounded memory, with finite values or one typed error. A failure
 * names its seed and case; EIGENSAM_FUZZ=SEED:CASE runs that one alone.
 */
const [seed = 1, only] = (process.env.EIGENSAM_FUZZ ?? "1").split(":").map(Number);
const TOTAL = process.env.EIGENSAM_SLOW === "1" ? 10_000 : 1000;
/** An archive may unpack to 256 MiB; nothing here is as large. */
const MOST_BYTES = 64 * 2 ** 20;

const used = () => process.memoryUsage().arrayBuffers;

function notFinite(value: unknown): boolean {
  if (typeof value === "number") return !Number.isFinite(value);
  if (value instanceof Float32Array || value instanceof Float64Array) return !value.every(Number.isFinite);
  if (ArrayBuffer.isView(value) || typeof value !== "object" || value === null) return false;
  return Object.values(value).some(notFinite);
}

/** What is wrong with how one case ended; undefined where nothing is. */
async function fault(target: FuzzTarget, index: number): Promise<string | undefined> {
  const dice = diceOf(rng(seed, "fuzz", target.name, index));
  const [start, before] = [process.cpuUsage(), used()];
  let wrong: string | undefined;
  let ended = "a value";
  try {
    if (notFinite(await target.run(dice))) wrong = "a value that is not finite";
  } catch (error) {
    ended = "an error";
    const typed = error instanceof EigensamError || error instanceof InvalidArgumentError;
    const message = error instanceof Error ? error.message : String(error);
    if (!typed) wrong = error instanceof Error ? error.stack : `threw ${message}`;
    else if (message.length < 5 || message.length > 2000)
      wrong = `a message of ${message.length} characters: ${message.slice(0, 300)} … ${message.slice(-150)}`;
  }
  // Time of this process, whatever else the machine does.
  const { user, system } = process.cpuUsage(start);
  const seconds = (user + system) / 1e6;
  if (seconds > 1) wrong ??= `${ended} after ${seconds.toFixed(1)} s`;
  if (used() - before > MOST_BYTES) wrong ??= `${ended} after ${used() - before} bytes were allocated`;
  counts[ended] = (counts[ended] ?? 0) + 1;
  return wrong;
}

let counts: Record<string, number> = {};

/** Files of src/ that open nothing that came from elsewhere, or give it to a reader that is in the table, and why. */
const OTHERS: Readonly<Record<string, string>> = {
  "api/weights-files.ts": "decodes as train/weights.ts",
  "train/predict.ts": "decodes as data/npy.ts and data/csv-file.ts",
  "train/start-weights.ts": "takes the digest of bytes",
  "cli/sweep/kubernetes.ts": "copies plan.json, which was read",
  "cli/doctor/cuda-libraries.ts": "reads the header of an installed library",
  "cli/hangup.ts": "asks the system",
  "run/lifeline.ts": "asks the system",
  "cli/bench/worker.ts": "asks the system",
  "runtime/profile.ts": "reads what ONNX Runtime has just written",
  "report/write.ts": "looks in an earlier page for names of its own (report-write)",
  "cli/train/many.ts": "prints a table that was just written",
  "cli/commands/sde.ts": "prints a table that was just written",
  "cli/commands/paper.ts": "prints a table that was just written",
  "report/text-width.ts": "reads a font of a dependency",
  "data/jpeg.ts": "reads the codec of a dependency",
  "util/package.ts": "reads this package",
};

describe("readers of files from elsewhere", () => {
  const targets = fuzzTargets();

  it("are all in the table", () => {
    const src = inPackage("src");
    const opening = readdirSync(src, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .filter((name) =>
        /\b(readFileSync|readSync|readBytes|readMaybeGzip|readFile)\(/.test(readFileSync(join(src, name), "utf8")),
      );
    const known = new Set([...targets.flatMap(({ opens }) => opens), ...Object.keys(OTHERS)]);
    expect(opening.sort()).toEqual([...known].sort());
  });

  const cases = only === undefined ? Array.from({ length: Math.ceil(TOTAL / targets.length) }, (_, i) => i) : [only];
  it.each(targets)(`end well on ${cases.length} damaged inputs: $name`, async (target) => {
    counts = {};
    const faults: string[] = [];
    for (const index of cases) {
      const wrong = await fault(target, index);
      if (wrong !== undefined) faults.push(`EIGENSAM_FUZZ=${seed}:${index} (${target.name}): ${wrong}`);
    }
    expect(faults.slice(0, 5)).toEqual([]);
    // Damage that every reader shrugs off, or that none survives, would test nothing.
    if (only === undefined) expect(Object.keys(counts)).toEqual(expect.arrayContaining(["a value", "an error"]));
  });
});
