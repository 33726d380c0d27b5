import type { OpName } from "../ops/index.ts";
import {
  dropBroadcast,
  shrinkUniform,
  simplifyAdd,
  simplifyDiv,
  simplifyMul,
  simplifyNeg,
  simplifySub,
} from "./arithmetic.ts";
import type { Rule } from "./rule.ts";
import {
  mergeLinear,
  rearrangeUniform,
  simplifyBroadcast,
  simplifyReshape,
  simplifySlice,
  simplifySum,
  simplifyTranspose,
} from "./structure.ts";
import { pushSum } from "./sums.ts";

/** The identities tried on each op, in order, until one applies; then again on what it gave. */
export const rules: Partial<Readonly<Record<OpName, readonly Rule[]>>> = {
  add: [simplifyAdd, shrinkUniform, dropBroadcast, mergeLinear],
  sub: [simplifySub, shrinkUniform, dropBroadcast, mergeLinear],
  mul: [simplifyMul, shrinkUniform, dropBroadcast],
  div: [simplifyDiv, shrinkUniform, dropBroadcast],
  maximum: [shrinkUniform, dropBroadcast],
  minimum: [shrinkUniform, dropBroadcast],
  neg: [simplifyNeg],
  reshape: [rearrangeUniform, simplifyReshape],
  broadcastTo: [rearrangeUniform, simplifyBroadcast],
  transpose: [rearrangeUniform, simplifyTranspose],
  slice: [rearrangeUniform, simplifySlice],
  sum: [simplifySum, pushSum],
};
