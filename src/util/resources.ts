/** Something that is freed when it is no longer needed. */
interface Resource {
  release(): Promise<void>;
}

/** Resources by key; keys with the same JSON are equal. */
export interface Resources<K, T> {
  /** That of a key, made when it is first asked for. */
  get(key: K): Promise<T>;
  /** Frees that of a key, where there is one; it is made again when it is asked for. */
  drop(key: K): Promise<void>;
  /** Frees all of them. */
  release(): Promise<void>;
}

/** Makes resources as they are asked for, and frees them. What could not be made is not kept. */
export function resources<K, T extends Resource>(make: (key: K) => Promise<T>): Resources<K, T> {
  const made = new Map<string, Promise<T>>();
  const dropText = async (text: string) => {
    const resource = made.get(text);
    made.delete(text);
    await (await resource)?.release();
  };
  return {
    get: (key) => {
      const text = JSON.stringify(key);
      const known = made.get(text);
      if (known) return known;
      const resource = make(key);
      made.set(text, resource);
      resource.catch(() => made.delete(text));
      return resource;
    },
    drop: (key) => dropText(JSON.stringify(key)),
    release: async () => {
      for (const text of [...made.keys()]) await dropText(text);
    },
  };
}
