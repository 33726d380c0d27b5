import { InputError } from "../util/errors.ts";
import { mapValues } from "../util/map-values.ts";
import { allocate, arrayFor, type InputArray, writable } from "./arrays.ts";
import type { Port, Session, TypedArray } from "./session.ts";

export interface RunOptions<Out extends string = string> {
  /** Arrays of the caller's that some outputs are written to. */
  readonly into?: Readonly<Partial<Record<Out, TypedArray>>>;
  /** Write the other outputs to arrays that the executable keeps; the next run with `reuse` overwrites them. */
  readonly reuse?: boolean;
}

interface Runnable<In extends string, Out extends string> {
  readonly session: Session;
  readonly inputs: Readonly<Record<In, Port>>;
  readonly outputs: Readonly<Record<Out, Port>>;
  /** Inputs that the model reads; the others may be left out. */
  readonly needed: ReadonlySet<string>;
  /** The input that an output is written over. */
  readonly over: ReadonlyMap<string, string>;
  /** Those of these outputs that are copied over their inputs after the run. */
  readonly copied: ReadonlySet<string>;
}

/** The `run` of an executable: checks the arrays, and finds or makes those that the outputs are written to. */
export function runner<In extends string, Out extends string, Output extends TypedArray>({
  session,
  inputs,
  outputs,
  needed,
  over,
  copied,
}: Runnable<In, Out>) {
  const kept = new Map<string, TypedArray>();
  const keptFor = (port: Port): TypedArray => {
    const array = kept.get(port.name) ?? allocate(port);
    kept.set(port.name, array);
    return array;
  };
  return async (
    given: Readonly<Record<string, InputArray | undefined>>,
    { into, reuse = false }: RunOptions<Out> = {},
  ): Promise<Record<Out, Output>> => {
    assertNames("input", given, inputs);
    assertNames("output", into ?? {}, outputs);
    const read = Object.values<Port>(inputs).filter(({ name }) => given[name] !== undefined || needed.has(name));
    const feeds = Object.fromEntries(read.map((port) => [port.name, arrayFor(port, given[port.name])]));
    const results = mapValues(outputs, (port, name) => {
      const target = into?.[name] ?? given[over.get(name) ?? ""];
      if (target) return writable(port, target);
      return reuse ? keptFor(port) : allocate(port);
    });
    const copiedNow = Object.values<Port>(outputs).filter(({ name }) => copied.has(name) && !into?.[name as Out]);
    await session.run(feeds, {
      ...results,
      ...Object.fromEntries(copiedNow.map((port) => [port.name, keptFor(port)])),
    });
    for (const port of copiedNow) results[port.name as Out].set(keptFor(port));
    // `compile` has checked the dtypes that Output stands for.
    return results as Record<Out, Output>;
  };
}

function assertNames(kind: "input" | "output", given: object, ports: object): void {
  for (const name of Object.keys(given))
    if (!Object.hasOwn(ports, name))
      throw new InputError(`run: no ${kind} is called ${name}`, { name }, `${kind}s: ${Object.keys(ports).join(", ")}`);
}
