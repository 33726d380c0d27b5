import { pieceName, type Stretch } from "../onnx/pieces.ts";
import { InputError } from "../util/errors.ts";
import type { Session, TypedArray } from "./session.ts";

type Arrays = Readonly<Record<string, TypedArray>>;

/** A session some of whose inputs and outputs are cut into pieces: each piece is a view of the caller's array, no copy. */
export function onViews(
  session: Session,
  cut: ReadonlyMap<string, readonly Stretch[]>,
  inputs: readonly string[],
): Session {
  const views = (arrays: Arrays): Arrays =>
    Object.fromEntries(
      Object.entries(arrays).flatMap(([name, array]): (readonly [string, TypedArray])[] => {
        const stretches = cut.get(name);
        if (stretches === undefined) return [[name, array]];
        const length = stretches.at(-1)!.end;
        if (array.length !== length)
          throw new InputError(`${name}: ${array.length} numbers, expected ${length}`, { name, shape: [length] });
        return stretches.map((s) => [pieceName(name, s), array.subarray(s.start, s.end)]);
      }),
    );
  const needed = inputs.filter((name) => cut.has(name));
  return {
    run: (feeds, outputs) => {
      for (const name of needed)
        if (feeds[name] === undefined)
          throw new InputError(`${name}: missing, expected ${cut.get(name)!.at(-1)!.end} numbers`, { name });
      return session.run(views(feeds), views(outputs));
    },
    profile: () => session.profile(),
    release: () => session.release(),
  };
}
