import { dtypes } from "../util/dtype.ts";
import { InputError } from "../util/errors.ts";
import { showShape, sizeOf } from "../util/shape.ts";
import type { Port, TypedArray } from "./session.ts";

/** What `run` takes for an input: an array of the input's dtype, or plain numbers, which are converted to it. */
export type InputArray = TypedArray | readonly number[];

/** Zeros for one value. */
export const allocate = ({ shape, dtype }: Port): TypedArray => dtypes[dtype].allocate(sizeOf(shape));

/** The array itself, or plain numbers as a new array of the port's dtype. Throws an InputError where they do not fit the port. */
export function arrayFor({ name, shape, dtype }: Port, values: InputArray | undefined): TypedArray {
  const { arrayName, from, holds } = dtypes[dtype];
  const [size, kind] = [sizeOf(shape), `${dtype} ${showShape(shape)}`];
  const wrong = (given: string, expected: string) =>
    new InputError(
      `${name}: ${given}, expected ${expected}`,
      { name, shape, dtype },
      `give a ${arrayName} or an array of numbers, in row-major order`,
    );
  if (values === undefined) throw wrong("missing", `${size} for ${kind}`);
  if (values.length !== size) throw wrong(`${values.length} numbers`, `${size} for ${kind}`);
  if (holds(values)) return values;
  if (ArrayBuffer.isView(values)) throw wrong(`a ${values.constructor.name}`, kind);
  if (!values.every((value) => typeof value === "number")) throw wrong("an array of other things than numbers", kind);
  return from(values);
}

/** An array that an output is written to: a typed array that fits the port. */
export function writable(port: Port, values: InputArray | undefined): TypedArray {
  const array = arrayFor(port, values);
  if (array !== values)
    throw new InputError(
      `${port.name} is written to an Array, expected a ${dtypes[port.dtype].arrayName}`,
      { name: port.name },
      "plain arrays of numbers are converted, which is a copy",
    );
  return array;
}
