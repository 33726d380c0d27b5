import type { Sources } from "./imports.ts";

export const MAX_LINES = 400;
const EXEMPT = new Set(["src/onnx/onnx_pb.ts"]);

/** Files over the limit, one message each, and the median length of the files that the limit covers. */
export function lengths(sources: Sources): { readonly errors: string[]; readonly median: number } {
  const files = [...sources]
    .filter(([file]) => !EXEMPT.has(file))
    .map(([file, text]) => ({ file, lines: countLines(text) }))
    .sort((a, b) => a.lines - b.lines);
  const long = files.filter(({ lines }) => lines > MAX_LINES);
  return {
    errors: long.map(({ file, lines }) => `${file}: got ${lines} lines, expected at most ${MAX_LINES}: split it`),
    median: files[Math.floor(files.length / 2)]?.lines ?? 0,
  };
}

const countLines = (text: string): number => text.split("\n").length - Number(text.endsWith("\n"));
