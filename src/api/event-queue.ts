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
      const take = async (): Promise<IteratorResult<E, undefined>> => {
        while (readers.has(reader) && reader.waiting.length === 0 && ended === undefined)
          await new Promise<void>((resolve) => {
            reader.wake = resolve;
          });
        const event = readers.has(reader) ? reader.waiting.shift() : undefined;
        if (event !== undefined) return { done: false, value: event };
        if (readers.has(reader) && ended && "error" in ended) throw ended.error;
        return finished();
      };
      const finished = () => {
        readers.delete(reader);
        reader.wake();
        return { done: true, value: undefined } as const;
      };
      let turn: Promise<unknown> = Promise.resolve();
      return {
        // Calls that do not wait for each other get the events in the order of the calls.
        next: () => {
          const result = turn.then(take, take);
          turn = result;
          return result;
        },
        // A reader that breaks off listens no more; the run goes on.
        return: async () => finished(),
      };
    },
  };
}
