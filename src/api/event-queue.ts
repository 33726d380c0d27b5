/** Events for any number of readers, each from the moment it begins to read. */
export interface EventQueue<E> {
  push(event: E): void;
  /** No event follows. */
  end(): void;
  /** No event follows; readers get the error. Whether there are any. */
  fail(error: unknown): boolean;
  iterate(): AsyncIterator<E, undefined>;
}

interface Reader<E> {
  readonly waiting: E[];
  wake: () => void;
}

export function eventQueue<E>(): EventQueue<E> {
  const readers = new Set<Reader<E>>();
  let ended: { readonly error?: unknown } | undefined;
  const wakeAll = () => {
    for (const reader of readers) reader.wake();
  };
  return {
    push: (event) => {
      for (const reader of readers) reader.waiting.push(event);
      wakeAll();
    },
    end: () => {
      ended = {};
      wakeAll();
    },
    fail: (error) => {
      ended = { error };
      wakeAll();
      return readers.size > 0;
    },
    iterate: () => {
      const reader: Reader<E> = { waiting: [], wake: () => undefined };
      readers.add(reader);
      const finish = () => {
        readers.delete(reader);
        return { done: true, value: undefined } as const;
      };
      return {
        next: async () => {
          while (reader.waiting.length === 0 && ended === undefined)
            await new Promise<void>((resolve) => {
              reader.wake = resolve;
            });
          const event = reader.waiting.shift();
          if (event !== undefined) return { done: false, value: event };
          if (ended && "error" in ended) throw ended.error;
          return finish();
        },
        // A reader that breaks off listens no more; the run goes on.
        return: async () => finish(),
      };
    },
  };
}
