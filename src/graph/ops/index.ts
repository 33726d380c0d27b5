import type { Op } from "../op.ts";
import type { Tensor } from "../tensor.ts";
import { concatOp, padOp, sliceOp, transposeOp } from "./arrange.ts";
import { blockedConvOp } from "./blocked-conv.ts";
import { castOp, equalOp, greaterEqualOp, greaterOp, whereOp } from "./compare.ts";
import { convInputOp, convOp, convWeightOp } from "./conv.ts";
import * as elementwise from "./elementwise.ts";
import { filterBankOp } from "./filter-bank.ts";
import { gatherOp, scatterAddOp } from "./gather.ts";
import { matmulOp } from "./matmul.ts";
import { maxOp } from "./max.ts";
import { recomputeOp } from "./recompute.ts";
import { broadcastOp, sumOp } from "./reduce.ts";
import { reshapeOp } from "./reshape.ts";
import { softmaxOp } from "./softmax.ts";
import { constantOp, inputOp } from "./source.ts";
import { takeOp } from "./take.ts";

/** Every op there is. A new one is a file and a line here; the tests walk this table. */
export const ops = {
  input: inputOp,
  constant: constantOp,
  add: elementwise.addOp,
  sub: elementwise.subOp,
  mul: elementwise.mulOp,
  div: elementwise.divOp,
  maximum: elementwise.maximumOp,
  minimum: elementwise.minimumOp,
  neg: elementwise.negOp,
  exp: elementwise.expOp,
  log: elementwise.logOp,
  sqrt: elementwise.sqrtOp,
  rsqrt: elementwise.rsqrtOp,
  reciprocal: elementwise.reciprocalOp,
  tanh: elementwise.tanhOp,
  sigmoid: elementwise.sigmoidOp,
  erf: elementwise.erfOp,
  abs: elementwise.absOp,
  sign: elementwise.signOp,
  relu: elementwise.reluOp,
  heaviside: elementwise.heavisideOp,
  stopGradient: elementwise.stopGradientOp,
  greater: greaterOp,
  greaterEqual: greaterEqualOp,
  equal: equalOp,
  where: whereOp,
  cast: castOp,
  sum: sumOp,
  broadcastTo: broadcastOp,
  max: maxOp,
  softmax: softmaxOp,
  recompute: recomputeOp,
  reshape: reshapeOp,
  transpose: transposeOp,
  concat: concatOp,
  slice: sliceOp,
  pad: padOp,
  take: takeOp,
  gather: gatherOp,
  scatterAdd: scatterAddOp,
  matmul: matmulOp,
  filterBank: filterBankOp,
  blockedConv: blockedConvOp,
  conv2d: convOp,
  conv2dInput: convInputOp,
  conv2dWeight: convWeightOp,
} as const satisfies Record<string, Op>;

/** Name of an op. */
export type OpName = keyof typeof ops;

/** The entry of a table by op name for the op that made `node`. */
export function entryOf<T>(table: Readonly<Partial<Record<OpName, T>>>, { op }: Tensor): T | undefined {
  const byName: Readonly<Record<string, T | undefined>> = table;
  return byName[op.name];
}
