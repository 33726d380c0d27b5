import { describe, expect, it } from "vitest";
import { goesOn, rungsOf } from "../src/search/asha.ts";
import { ConfigError } from "../src/util/errors.ts";
import { golden } from "./support/search.ts";

const rung = (values: readonly number[], own: number, direction: "minimize" | "maximize" = "minimize", eta = 4) =>
  goesOn({ values, own, eta, direction });

describe("rungs", () => {
  it("lie at min, min·eta, min·eta² and so on below max, where a trial is over anyway", () => {
    expect(rungsOf({ min: 1, max: 100, eta: 4 })).toEqual([1, 4, 16, 64]);
    expect(rungsOf({ min: 3, max: 81, eta: 3 })).toEqual([3, 9, 27]);
    expect(rungsOf({ min: 5, max: 5, eta: 2 })).toEqual([]);
  });

  it.each([
    ["min", { min: 0, max: 10, eta: 4 }],
    ["min", { min: 1.5, max: 10, eta: 4 }],
    ["max", { min: 1, max: Number.POSITIVE_INFINITY, eta: 4 }],
    ["eta", { min: 1, max: 10, eta: 1 }],
    ["eta", { min: 1, max: 10, eta: Number.NaN }],
  ])("need whole numbers: %s", (name, given) => {
    expect(() => rungsOf(given)).toThrow(ConfigError);
    expect(() => rungsOf(given)).toThrow(`${name} of the rungs is`);
  });
});

describe("successive halving", () => {
  it.each(golden.halving)(
    "decides as Optuna: $direction, eta $eta from step $min",
    ({ direction, eta, min, max, decisions }) => {
      const rungs = rungsOf({ min, max, eta });
      const recorded = new Map(rungs.map((step): [number, number[]] => [step, []]));
      const next = new Map<number, number>();
      for (const [trial, step, text, theirs] of decisions) {
        const own = Number(text);
        expect(step).toBe(rungs[next.get(trial) ?? 0]);
        const values = recorded.get(step)!;
        values.push(own);
        expect([trial, step, goesOn({ values, own, eta, direction })]).toEqual([trial, step, theirs]);
        next.set(trial, (next.get(trial) ?? 0) + 1);
      }
      // The script reaches every rung but those near its end, and both answers are common.
      expect(rungs.filter((step) => recorded.get(step)!.length > 0).length).toBeGreaterThanOrEqual(3);
      expect(Math.min(...[true, false].map((on) => decisions.filter((each) => each[3] === on).length))).toBeGreaterThan(
        40,
      );
    },
  );

  it("lets the best go on while fewer than eta are there, equal ones too", () => {
    expect(rung([0.5], 0.5)).toBe(true);
    expect(rung([0.5, 0.4], 0.5)).toBe(false);
    expect(rung([0.5, 0.5], 0.5)).toBe(true);
    expect(rung([0.5, 0.4], 0.5, "maximize")).toBe(true);
  });

  it("takes the best ⌊n/eta⌋", () => {
    const values = [1, 2, 3, 4, 5, 6, 7, 8];
    expect(values.filter((own) => rung(values, own))).toEqual([1, 2]);
    expect(values.filter((own) => rung(values, own, "maximize"))).toEqual([7, 8]);
    expect(values.filter((own) => rung(values, own, "minimize", 3))).toEqual([1, 2]);
    expect(values.filter((own) => rung([...values, 9], own, "minimize", 3))).toEqual([1, 2, 3]);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    "stops a trial at %d, which is worse than any number",
    (odd) => {
      for (const direction of ["minimize", "maximize"] as const) {
        expect(rung([odd], odd, direction)).toBe(false);
        expect(rung([odd, 0.3], 0.3, direction)).toBe(true);
        // It is one of those that came to the rung: with it there are eight, of which two go on.
        expect(rung([1, 2, 3, 4, 5, 6, 7, odd], direction === "minimize" ? 2 : 6, direction)).toBe(true);
      }
    },
  );
});
