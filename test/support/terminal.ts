import { vi } from "vitest";

/** A movement up, an erasure, a colour, or a character. */
const TOKEN = new RegExp(`${String.fromCharCode(27)}\\[(?:(\\d+)A|(J)|[\\d;]*m)|[\\s\\S]`, "gu");

/** Stands in for the terminal behind stderr: the rows that a person sees, with wrapping, cursor movements and erasures. */
export function fakeTerminal(columns: number, height = 24) {
  const rows = [""];
  let [row, column] = [0, 0];
  const put = (character: string) => {
    if (column === columns) [row, column] = [row + 1, 0];
    rows[row] = (rows[row] ?? "").padEnd(column).slice(0, column) + character + (rows[row] ?? "").slice(column + 1);
    column++;
  };
  const write = (text: string): boolean => {
    for (const [part, up, erase] of text.matchAll(TOKEN)) {
      if (up !== undefined) row = Math.max(0, row - Number(up));
      else if (erase !== undefined) rows.splice(row, rows.length, (rows[row] ?? "").slice(0, column));
      else if (part === "\n") [row, column] = [row + 1, 0];
      else if (part === "\r") column = 0;
      else if (part.length <= 2 && !part.startsWith("\x1b")) put(part);
      rows[row] ??= "";
    }
    return true;
  };
  const properties = { isTTY: true, columns, rows: height, write };
  const before = Object.entries(properties).map(
    ([key]) => [key, Object.getOwnPropertyDescriptor(process.stderr, key)] as const,
  );
  for (const [key, value] of Object.entries(properties))
    Object.defineProperty(process.stderr, key, { value, configurable: true, writable: true });
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
  return {
    /** What is on the screen. */
    screen: () => rows.map((text) => text.trimEnd()).filter((text) => text !== ""),
    /** What the terminal itself prints, as ^C. */
    echo: write,
    restore: () => {
      vi.useRealTimers();
      for (const [key, descriptor] of before) {
        if (descriptor === undefined) delete (process.stderr as unknown as Record<string, unknown>)[key];
        else Object.defineProperty(process.stderr, key, descriptor);
      }
    },
  };
}
