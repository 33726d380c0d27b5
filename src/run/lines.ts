import { existsSync, readFileSync } from "node:fs";
import { z } from "zod";
import { InputError } from "../util/errors.ts";
import { excerpt, shown } from "../util/excerpt.ts";
import { expectation } from "../util/expectation.ts";

/** A number as JSON keeps it: JSON.stringify writes null for NaN and infinities, and null reads as NaN. */
export const measured = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN);

/** The value of a JSON text by a schema. Errors (InputError) name `source`, the key and what it holds, and end in `hint`. */
export function parseJson<T>(text: string, schema: z.ZodType<T>, source: string, hint?: string): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new InputError(`${source}: got ${excerpt(text.trim(), 40) || "nothing"}, expected JSON`, { source }, hint);
  }
  const { data, error } = schema.safeParse(value);
  if (error === undefined) return data;
  const issue = error.issues[0]!;
  const { path } = issue;
  const key = path.join(".");
  const given = path.reduce<unknown>((inner, part) => (inner as Record<PropertyKey, unknown> | null)?.[part], value);
  const got = shown(given) ?? "nothing";
  throw new InputError(
    `${source}: got ${got}${key === "" ? "" : ` for ${key}`}, ${expectation(issue)}`,
    { source, key, given },
    hint,
  );
}

/**
 * The lines of a log, each by a schema; none where the file does not exist yet. Text after the last line break is a line that a
 * kill cut short, and does not count. Errors (InputError) name file and line.
 */
export function readLines<T>(file: string, schema: z.ZodType<T>): T[] {
  if (!existsSync(file)) return [];
  const whole = readFileSync(file, "utf8").split("\n").slice(0, -1);
  const hint = "only a last line may be cut short; was the file edited, or written by another version?";
  return whole.map((line, i) => parseJson(line, schema, `${file}: line ${i + 1}`, hint));
}
