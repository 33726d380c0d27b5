import { expect, it } from "vitest";
import { relativeError } from "./support/numbers.ts";
import { type Followed, follow, officialGolden } from "./support/official.ts";
import { F64, OFFICIAL, OFFICIAL_APART } from "./tolerances.ts";

const golden = officialGolden();
const of = ({ lines }: Followed, kind: "step" | "refresh") => lines.filter((line) => line.kind === kind);
const numbers = (followed: Followed, key: "loss" | "lr") =>
  of(followed, "step").map((line) => (line as unknown as Readonly<Record<string, number>>)[key]!);

/** The largest relative difference of two series, step by step. */
const apart = (ours: readonly number[], theirs: readonly number[]): number =>
  ours.length === theirs.length
    ? Math.max(...theirs.map((value, step) => Math.abs(ours[step]! / value - 1)))
    : Number.POSITIVE_INFINITY;

/** Three epochs of 30 steps by our own training loop, beside PyTorch (scripts/golden/official.py). */
it("compat=official takes every step of three epochs as PyTorch does from the same state", async () => {
  const forced = await follow(golden, "eigen-sam", "forced");
  expect(forced.names).toEqual(golden.names);
  expect(forced.pixelSum).toBe(golden.pixelSum);
  expect(apart(numbers(forced, "lr"), golden.rates)).toBeLessThan(F64);
  expect(apart(numbers(forced, "loss"), golden.losses["eigen-sam"])).toBeLessThan(OFFICIAL.loss);

  const steps = of(forced, "refresh").map((line) => (line as { readonly step: number }).step);
  expect(steps).toEqual([...golden.refreshes.keys()]);
  for (const [step, v] of golden.refreshes)
    expect(relativeError(forced.vectors[step]!, v), `v at step ${step}`).toBeLessThan(OFFICIAL.v);

  expect(forced.states).toHaveLength(golden.states.length - 1);
  forced.states.forEach((state, step) => {
    for (const key of ["theta", "momentum", "buffers"] as const)
      expect(relativeError(state[key], golden.states[step + 1]![key]), `${key} after step ${step}`).toBeLessThan(
        OFFICIAL[key],
      );
  });
});

it.each(["eigen-sam", "sam"] as const)(
  "compat=official with %s, left to itself, parts from PyTorch no further than PyTorch from its reversed batches",
  async (method) => {
    const free = await follow(golden, method, "free");
    const [theirs, control] = [golden.losses[method], golden.reversed[method]];
    expect(apart(numbers(free, "loss"), theirs)).toBeLessThan(OFFICIAL_APART * apart(control, theirs));
    expect(of(free, "refresh")).toHaveLength(method === "sam" ? 0 : golden.refreshes.size);
  },
);
