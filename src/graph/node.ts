import type { DType, Op, Tensor } from "./tensor.ts";
import type { Shape } from "../util/shape.ts";

/** Longer arrays inside attributes are compared by identity: reading them would cost more than sharing them saves. */
const CONTENT_LIMIT = 4096;

let made = 0;

/** A frozen tensor, and beside it what `simplify` has found out about it: a graph that is differentiated is simplified again and again. */
export class Node implements Tensor {
  readonly op: Op;
  readonly inputs: readonly Tensor[];
  readonly attrs: unknown;
  readonly shape: Shape;
  readonly dtype: DType;
  readonly #number = ++made;
  #key: string | undefined;
  #simplest = false;

  constructor(op: Op, inputs: readonly Tensor[], attrs: unknown, shape: Shape, dtype: DType) {
    this.op = op;
    this.inputs = inputs;
    this.attrs = attrs;
    this.shape = shape;
    this.dtype = dtype;
    Object.freeze(this);
  }

  /** A text that two nodes share exactly when op, dtype, inputs and attributes agree. */
  static keyOf(node: Tensor): string {
    const own = node as Node;
    own.#key ??= textOf(node, (x) => (x as Node).#number);
    return own.#key;
  }

  static isSimplest = (node: Tensor): boolean => (node as Node).#simplest;

  static markSimplest(node: Tensor): void {
    (node as Node).#simplest = true;
  }
}

function textOf({ op, dtype, inputs, attrs }: Tensor, numberOf: (x: Tensor) => number): string {
  const numbers = inputs.map(numberOf);
  if (op.commutative) numbers.sort((a, b) => a - b);
  return `${op.name}|${dtype}|${numbers.join(",")}|${attrsKey(attrs)}`;
}

const longArrays = new WeakMap<object, number>();

function attrsKey(attrs: unknown): string {
  if (ArrayBuffer.isView(attrs)) {
    const array = attrs as Float64Array | Float32Array | Int32Array;
    return array.length > CONTENT_LIMIT ? `@${identityOf(array)}` : `${array.constructor.name}:${array.join(",")}`;
  }
  if (Array.isArray(attrs)) return `[${attrs.map(attrsKey).join(",")}]`;
  if (typeof attrs === "object" && attrs !== null)
    return `{${Object.entries(attrs)
      .map(([name, value]) => `${name}:${attrsKey(value)}`)
      .join(",")}}`;
  return Object.is(attrs, -0) ? "-0" : String(attrs);
}

function identityOf(array: object): number {
  const number = longArrays.get(array) ?? ++made;
  longArrays.set(array, number);
  return number;
}
