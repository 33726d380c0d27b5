import {
  dropBroadcast,
  foldUniform,
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
export const rules: Readonly<Record<string, readonly Rule[]>> = {
  add: [foldUniform, simplifyAdd, shrinkUniform, dropBroadcast, mergeLinear],
  sub: [foldUniform, simplifySub, shrinkUniform, dropBroadcast, mergeLinear],
  mul: [foldUniform, simplifyMul, shrinkUniform, dropBroadcast],
  div: [foldUniform, simplifyDiv, shrinkUniform, dropBroadcast],
  maximum: [foldUniform, shrinkUniform, dropBroadcast],
  minimum: [foldUniform, shrinkUniform, dropBroadcast],
  neg: [foldUniform, simplifyNeg],
  reciprocal: [foldUniform],
  sqrt: [foldUniform],
  rsqrt: [foldUniform],
  exp: [foldUniform],
  log: [foldUniform],
  reshape: [rearrangeUniform, simplifyReshape],
  broadcastTo: [rearrangeUniform, simplifyBroadcast],
  transpose: [rearrangeUniform, simplifyTranspose],
  slice: [rearrangeUniform, simplifySlice],
  sum: [simplifySum, pushSum],
};
