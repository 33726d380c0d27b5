/** A record with the same keys, each value replaced by what `f` makes of it. */
export const mapValues = <K extends string, V, W>(
  record: Readonly<Record<K, V>>,
  f: (value: V, key: K) => W,
): Record<K, W> =>
  Object.fromEntries(Object.entries<V>(record).map(([key, value]) => [key, f(value, key as K)])) as Record<K, W>;
