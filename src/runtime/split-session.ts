import { partName, type Splits } from "../onnx/plan/split.ts";
import type { Session, TypedArray } from "./session.ts";

type Arrays = Readonly<Record<string, TypedArray>>;

/** A session whose model has some vectors in parts: each part is a view of the caller's array, no copy. */
export function splitSession(session: Session, splits: Splits): Session {
  const views = (arrays: Arrays): Arrays =>
    Object.fromEntries(
      Object.entries(arrays).flatMap(([name, array]) => {
        const parts = splits
          .get(name)
          ?.map((range): [string, TypedArray] => [partName(name, range), array.subarray(range.start, range.end)]);
        return parts ?? [[name, array]];
      }),
    );
  return {
    run: (inputs, outputs) => session.run(views(inputs), views(outputs)),
    profile: () => session.profile(),
    release: () => session.release(),
  };
}
