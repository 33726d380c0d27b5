import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";

/**
 * The whole lines of a log from its last to its first. The file is read from its end as far as lines are asked for, so what stands near the
 * end of a long one costs little. What a kill cut short is left out, as by readLines (lines.ts).
 */
export function* lastLines(path: string, chunk = 1 << 16): Generator<string> {
  if (!existsSync(path)) return;
  const file = openSync(path, "r");
  try {
    let at = fstatSync(file).size;
    // Bytes before the last line break that was seen; a line may span several chunks.
    let rest = Buffer.alloc(0);
    let whole = false;
    while (at > 0) {
      const length = Math.min(chunk, at);
      at -= length;
      const read = Buffer.alloc(length);
      readSync(file, read, 0, length, at);
      const bytes = Buffer.concat([read, rest]);
      let end = bytes.length;
      for (let cut = bytes.lastIndexOf(NEWLINE); cut >= 0; cut = end === 0 ? -1 : bytes.lastIndexOf(NEWLINE, end - 1)) {
        if (whole) yield bytes.toString("utf8", cut + 1, end);
        whole = true;
        end = cut;
      }
      rest = bytes.subarray(0, end);
    }
    if (whole) yield rest.toString("utf8");
  } finally {
    closeSync(file);
  }
}

const NEWLINE = 10;
