/** Makes what belongs to a key once, when it is first asked for; keys with the same JSON are equal. */
export function once<K, T>(make: (key: K) => Promise<T>): (key: K) => Promise<T> {
  const made = new Map<string, Promise<T>>();
  return (key) => {
    const text = JSON.stringify(key);
    const known = made.get(text) ?? make(key);
    made.set(text, known);
    return known;
  };
}
