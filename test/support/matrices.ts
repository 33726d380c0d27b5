import { operatorOf } from "./curvature.ts";

export const diagonal = (values: readonly number[]) =>
  operatorOf(values.map((value, i) => values.map((_, j) => (i === j ? value : 0))));

/** The rows of a matrix with −1, 2, −1 along its diagonals: the eigenvalues are 2 − 2cos(kπ/(n + 1)). */
export const chain = (n: number): number[][] =>
  Array.from({ length: n }, (_, i) =>
    Array.from({ length: n }, (_, j) => (i === j ? 2 : Math.abs(i - j) === 1 ? -1 : 0)),
  );

/** To ten digits, and without −0. */
export const digits = (values: ArrayLike<number>): number[] =>
  Array.from(values, (value) => Number(value.toFixed(10)) + 0);
