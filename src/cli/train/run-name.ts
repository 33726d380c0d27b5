import { existsSync } from "node:fs";
import { join } from "node:path";

const LETTERS = "0123456789abcdefghjkmnpqrstuvwxyz";

/** runs/MMDD-xxxx: the day, and the moment and process in four letters. */
export function newRunName(parent = "runs", now = new Date()): string {
  const day = `${String(now.getMonth() + 1).padStart(2, "0")}${String(now.getDate()).padStart(2, "0")}`;
  for (let attempt = 0; ; attempt++) {
    let rest = Math.abs(Math.imul(now.getTime() ^ (process.pid << 16), 0x9e3779b1) + attempt) >>> 0;
    let word = "";
    for (let i = 0; i < 4; i++, rest = Math.floor(rest / LETTERS.length)) word += LETTERS[rest % LETTERS.length];
    const path = join(parent, `${day}-${word}`);
    if (!existsSync(path)) return path;
  }
}
