import { z } from "zod";
import { code, table } from "./markdown.ts";

interface JsonSchema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
}

/** The settings of a schema as Markdown: a table per section, its rows in the schema's order. */
export function settingsTables(schema: z.ZodType): string {
  const { properties = {} } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as JsonSchema;
  const all = Object.entries(properties);
  const sections = all.filter(([, inner]) => inner.properties);
  const loose = all.filter(([, inner]) => !inner.properties);
  return [
    ...(loose.length === 0 ? [] : [rows("", loose)]),
    ...sections.flatMap(([name, inner]) => [`### ${name}`, rows(`${name}.`, Object.entries(inner.properties ?? {}))]),
  ].join("\n\n");
}

const rows = (prefix: string, settings: readonly (readonly [string, JsonSchema])[]): string =>
  table(
    ["setting", "values", "default", "meaning"],
    settings.flatMap(([name, schema]) => flat(prefix + name, schema)),
  );

const flat = (key: string, schema: JsonSchema): string[][] =>
  schema.properties
    ? Object.entries(schema.properties).flatMap(([name, inner]) => flat(`${key}.${name}`, inner))
    : [[code(key), allowed(schema), fallback(schema.default), schema.description ?? ""]];

function allowed({ type, enum: names, items, anyOf, ...range }: JsonSchema): string {
  if (names) return names.map(code).join(", ");
  if (anyOf) return anyOf.map(allowed).join(" or ");
  if (type === "array") return `list of: ${allowed(items ?? {})}`;
  if (type !== "integer" && type !== "number") return type === "string" ? "text" : (type ?? "any");
  const bounds = [
    ["≥", range.minimum],
    [">", range.exclusiveMinimum],
    ["≤", range.maximum],
    ["<", range.exclusiveMaximum],
  ] as const;
  const stated = bounds.flatMap(([sign, bound]) =>
    bound === undefined || Math.abs(bound) === Number.MAX_SAFE_INTEGER ? [] : [`${sign} ${bound}`],
  );
  return [type, ...stated].join(" ");
}

const fallback = (value: unknown): string =>
  value === undefined ? "" : code(typeof value === "string" ? value : JSON.stringify(value));
