/** The beginning of a text, where an error names what was given. */
export const excerpt = (text: string, most = 80): string => (text.length > most ? `${text.slice(0, most)}…` : text);

/** A value in JSON, cut where it is long or deep: what comes from a file may be nested a million times. */
export const shown = (value: unknown): string | undefined => {
  const text = JSON.stringify(pruned(value, DEEPEST));
  return text === undefined ? undefined : excerpt(text);
};

const DEEPEST = 4;
const WIDEST = 40;

function pruned(value: unknown, depth: number): unknown {
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object" || value === null || value instanceof Date) return value;
  if (depth === 0) return "…";
  const inner = (part: unknown) => pruned(part, depth - 1);
  if (Array.isArray(value)) return value.slice(0, WIDEST).map(inner);
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, WIDEST)
      .map(([key, part]) => [key, inner(part)]),
  );
}
