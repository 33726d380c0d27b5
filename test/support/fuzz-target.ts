import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Dataset } from "../../src/data/dataset.ts";
import { problemOf } from "../../src/train/session.ts";
import { checkConfig } from "../../src/train/settings.ts";
import { type Dice, mutatedBytes, mutatedText } from "./mutate.ts";

/** A reader, and how to give it a damaged file: reads one, and returns what must be finite. */
export interface FuzzTarget {
  readonly name: string;
  /** The files of src/ that open what it damages. */
  readonly opens: readonly string[];
  run(dice: Dice): unknown | Promise<unknown>;
}

export const folder = mkdtempSync(join(tmpdir(), "eigensam-fuzz-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
export const inFolder = (name: string): string => {
  const path = join(folder, name);
  mkdirSync(path, { recursive: true });
  return path;
};

/** A header of text changed as text, with its length put right in most cases; else the bytes of the file. */
export function withHeader(
  file: Buffer,
  at: number,
  end: number,
  write: (head: Buffer, length: number) => void,
  dice: Dice,
): Buffer {
  if (dice.chance(0.4)) return mutatedBytes(file, dice);
  const header = Buffer.from(mutatedText(file.toString("latin1", at, end), dice), "latin1");
  const head = Buffer.from(file.subarray(0, at));
  if (dice.chance(0.9)) write(head, header.length);
  return Buffer.concat([head, header, file.subarray(end)]);
}

const dataset: Dataset = {
  ...{ name: "tiny", inputShape: [2], mean: [], std: [] },
  targets: { kind: "labels", classes: 2 },
  train: { x: Float32Array.of(1, 2, 3, 4), y: Int32Array.of(0, 1), count: 2 },
};
export const problem = () =>
  problemOf(checkConfig({ model: { name: "mlp", width: 2 }, data: { batch: 1, validation: 0 } }), dataset);

/** A header changed as text, or one byte of the numbers behind it. */
export function safetensors(file: Buffer, dice: Dice): Buffer {
  const end = 8 + Number(file.readBigUInt64LE(0));
  if (dice.chance(0.2)) {
    const bytes = Buffer.from(file);
    bytes[end + dice.below(bytes.length - end)] = dice.below(256);
    return bytes;
  }
  return withHeader(file, 8, end, (head, length) => head.writeBigUInt64LE(BigInt(length)), dice);
}

/** Files of a folder of ours, one of them damaged. */
export function files(
  { name, opens }: Pick<FuzzTarget, "name" | "opens">,
  paths: readonly string[],
  read: (damaged: string) => unknown,
): FuzzTarget {
  const whole = paths.map((path) => readFileSync(path, "latin1"));
  return {
    name,
    opens,
    run: (dice) => {
      const which = dice.below(paths.length);
      const text = whole[which]!;
      // A few lines are enough to be wrong in.
      const short = paths[which]!.endsWith(".jsonl") ? `${text.split("\n").slice(0, 8).join("\n")}\n` : text;
      const damaged = dice.chance(0.2)
        ? mutatedBytes(Buffer.from(short, "latin1"), dice)
        : Buffer.from(mutatedText(short, dice), "latin1");
      for (const [i, path] of paths.entries())
        writeFileSync(path, i === which ? damaged : Buffer.from(whole[i]!, "latin1"));
      return read(paths[which]!);
    },
  };
}

export const TOML = `# a run
seed = 3
device = "cpu"
[model]
name = "mlp"
width = 8
[optimizer]
lr = 0.1
nesterov = false
[schedule]
name = "step"
milestones = [1, 2.5]
[data]
dir = "a/b"
[train]
epochs = 2
`;
