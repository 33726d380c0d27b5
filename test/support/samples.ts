import { apply } from "../../src/graph/op.ts";
import { greater } from "../../src/graph/ops/compare.ts";
import { type OpName, ops } from "../../src/graph/ops/index.ts";
import { constant, input } from "../../src/graph/ops/source.ts";
import type { Domain, DType, FloatDType, Op, Tensor } from "../../src/graph/tensor.ts";
import { type Rng, rng } from "../../src/util/rng.ts";
import { sizeOf } from "../../src/util/shape.ts";
import { shuffled, uniform } from "./numbers.ts";
import type { Feeds } from "./reference.ts";

/** One sample of one op, built on inputs of its own, with numbers to feed them. */
export interface Case {
  readonly op: OpName;
  readonly label: string;
  readonly inputs: readonly Tensor[];
  readonly output: Tensor;
  readonly feeds: Feeds;
}

/** Operands that are not the floating-point numbers every op takes unless it stands here. */
const operandDTypes: Partial<Record<OpName, readonly (DType | "float")[]>> = {
  where: ["bool", "float", "float"],
  gather: ["float", "i32"],
  scatterAdd: ["float", "i32"],
};

/** Numbers of a domain; "distinct" is 0.1 apart over all inputs of the sample together, and 0.05 away from 0. */
const draw: Readonly<Record<Domain | "ties", (random: Rng, n: number) => ArrayLike<number>>> = {
  any: (random, n) => uniform(random, n, -2, 2),
  positive: (random, n) => uniform(random, n, 0.5, 2),
  distinct: (random, n) =>
    shuffled(
      random,
      Array.from({ length: n }, (_, i) => (i + 0.5 - Math.floor(n / 2)) * 0.1),
    ),
  label: (random, n) => uniform(random, n, 0, 5).map(Math.floor),
  ties: (random, n) => uniform(random, n, -1, 2).map(Math.floor),
};

/** Every sample of every op that computes something, in one float dtype. `f32` numbers are rounded to float32. */
export function cases(dtype: FloatDType, domain?: "ties"): Case[] {
  return (Object.entries(ops) as [OpName, Op][]).flatMap(([name, op]) =>
    op.samples.map((sample, at): Case => {
      const random = rng(7, name, at);
      const numbers = draw[domain ?? sample.domain ?? "any"](
        random,
        sample.shapes.reduce((total, shape) => total + sizeOf(shape), 0),
      );
      const feeds: Record<string, ArrayLike<number>> = {};
      let offset = 0;
      const inputs: Tensor[] = [];
      const operands = sample.shapes.map((shape, i) => {
        const isInteger = sample.domain === "label" || operandDTypes[name]?.[i] === "i32";
        const x = input(`${name}_${at}_in${i}`, shape, isInteger ? "i32" : dtype);
        const drawn = Float64Array.from(numbers).subarray(offset, offset + sizeOf(shape));
        const values =
          isInteger && sample.domain !== "label" ? Float64Array.from(draw.label(random, drawn.length)) : drawn;
        offset += sizeOf(shape);
        feeds[`${name}_${at}_in${i}`] = dtype === "f32" ? values.map(Math.fround) : values;
        inputs.push(x);
        return operandDTypes[name]?.[i] === "bool" ? greater(x, constant(0, [], dtype)) : x;
      });

      return {
        op: name,
        label: `${name}_${at}`,
        inputs,
        output: apply(op, operands, sample.attrs),
        feeds,
      };
    }),
  );
}
