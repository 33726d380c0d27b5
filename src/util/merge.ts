type Table = Readonly<Record<string, unknown>>;

const isTable = (value: unknown): value is Table =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Nested tables of settings as one; of values with the same key, those of later tables win. */
export function merged(...tables: readonly object[]): Table {
  const all: Record<string, unknown> = {};
  for (const [key, value] of tables.flatMap((table) => Object.entries(table))) {
    const before = all[key];
    all[key] = isTable(value) && isTable(before) ? merged(before, value) : value;
  }
  return all;
}
