import { closeSync, openSync, readSync } from "node:fs";
import { z } from "zod";
import { checkpointsOf, marks } from "./checkpoint.ts";

const LENGTH = 8;
/** Headers of the largest networks have a tenth of it. */
const LONGEST = 1 << 24;

const header = z.object({
  __metadata__: z.object({ progress: z.string().transform((text): unknown => JSON.parse(text)) }),
});

/** Step and time of the newest checkpoint, of its header alone; undefined where there is none that can be read. */
export function marksOf(run: string): { readonly step: number; readonly seconds: number } | undefined {
  const path = checkpointsOf(run).at(-1);
  if (path === undefined) return undefined;
  try {
    const { data } = header.safeParse(JSON.parse(headerOf(path)));
    return data && z.object(marks).safeParse(data.__metadata__.progress).data;
  } catch (error) {
    // Whoever resumes the run is told what is wrong with it.
    if (error instanceof SyntaxError || error instanceof RangeError) return undefined;
    throw error;
  }
}

function headerOf(path: string): string {
  const file = openSync(path, "r");
  try {
    const start = Buffer.alloc(LENGTH);
    readSync(file, start, 0, LENGTH, 0);
    const length = Number(start.readBigUInt64LE());
    if (length > LONGEST) throw new RangeError(`a header of ${length} bytes`);
    const text = Buffer.alloc(length);
    const read = readSync(file, text, 0, length, LENGTH);
    return text.toString("utf8", 0, read);
  } finally {
    closeSync(file);
  }
}
