import type { Tensor } from "./tensor.ts";

/** Longer arrays inside attributes are compared by identity: reading them would cost more than sharing them saves. */
const CONTENT_LIMIT = 4096;

/** A text that two nodes share exactly when op, dtype, inputs and attributes agree. */
export function nodeKey(node: Tensor, idOf: (object: object) => number): string {
  const ids = node.inputs.map(idOf);
  const inputs = (node.op.commutative ? ids.sort((a, b) => a - b) : ids).join(",");
  return `${node.op.name}|${node.dtype}|${inputs}|${attrsKey(node.attrs, idOf)}`;
}

function attrsKey(attrs: unknown, idOf: (object: object) => number): string {
  if (ArrayBuffer.isView(attrs)) {
    const array = attrs as Float64Array | Float32Array | Int32Array;
    return array.length > CONTENT_LIMIT ? `@${idOf(array)}` : `${array.constructor.name}:${array.join(",")}`;
  }
  if (Array.isArray(attrs)) return `[${attrs.map((a) => attrsKey(a, idOf)).join(",")}]`;
  if (typeof attrs === "object" && attrs !== null)
    return `{${Object.entries(attrs)
      .map(([name, value]) => `${name}:${attrsKey(value, idOf)}`)
      .join(",")}}`;
  return Object.is(attrs, -0) ? "-0" : String(attrs);
}
