import { readFileSync } from "node:fs";
import { type ProposeArgs, proposers, type Trial } from "../../src/search/propose.ts";
import type { Parameter, Point, Space, Value } from "../../src/search/space.ts";

type Direction = ProposeArgs["direction"];

/** What Optuna does, written by scripts/golden/search.py. */
export const golden = JSON.parse(readFileSync(new URL("../golden/search.json", import.meta.url), "utf8")) as {
  readonly best: Readonly<
    Record<keyof typeof objectives, Readonly<Record<"tpe" | "independent" | "random", readonly number[]>>>
  >;
  readonly good: readonly number[];
  readonly weights: readonly (readonly number[])[];
  readonly densities: readonly {
    readonly domain: Parameter["domain"];
    readonly observations: readonly Value[];
    readonly centres?: readonly number[];
    readonly widths?: readonly number[];
    readonly weights: readonly number[];
    readonly points: readonly Value[];
    readonly log: readonly number[];
  }[];
  readonly ratios: readonly {
    readonly direction: Direction;
    /** Points, values (null while a trial runs) and where a trial was stopped early (else null), in the order of numbers. */
    readonly trials: readonly (readonly [Point, string | null, number | null])[];
    readonly good: readonly number[];
    readonly ratios: Readonly<Record<string, readonly [readonly Value[], readonly number[]]>>;
  }[];
  readonly halving: readonly {
    readonly direction: Direction;
    readonly eta: number;
    readonly min: number;
    readonly max: number;
    /** Trial, step, value, whether it goes on. */
    readonly decisions: readonly (readonly [number, number, string, boolean])[];
  }[];
};

export const choice = (key: string, values: readonly Value[], when?: Parameter["when"]): Parameter => ({
  key,
  domain: { kind: "choice", values },
  ...(when && { when }),
});

export const range = (key: string, min: number, max: number, kind = "", when?: Parameter["when"]): Parameter => ({
  key,
  domain: { kind: "range", min, max, log: kind.includes("log"), integer: kind.includes("integer") },
  ...(when && { when }),
});

const plane: Space = [range("x", -5, 10), range("y", 0, 15)];

/** Branin's function; three minima of 0.397887. */
function branin(point: Point): number {
  const [x, y] = [point.x as number, point.y as number];
  const bowl = (y - (5.1 / (4 * Math.PI ** 2)) * x ** 2 + (5 / Math.PI) * x - 6) ** 2;
  return bowl + 10 * (1 - 1 / (8 * Math.PI)) * Math.cos(x) + 10;
}

export const trainingSpace: Space = [
  choice("optimizer", ["sgd", "adamw"]),
  range("rate", 1e-5, 1, "log"),
  range("momentum", 0, 0.99, "", { optimizer: ["sgd"] }),
  range("decay", 1e-6, 0.1, "log", { optimizer: ["adamw"] }),
  range("depth", 1, 12, "integer"),
  range("width", 8, 1024, "log integer"),
  choice("method", ["sgd", "sam", "eigen-sam"]),
  range("rho", 1e-3, 1, "log", { method: ["sam", "eigen-sam"] }),
  range("alpha", 0, 1, "", { method: ["eigen-sam"] }),
];

/** A made-up loss of a training whose settings depend on each other; its minimum is 0. */
function training(point: Point): number {
  const at = (key: string): number => point[key] as number;
  const [rate, rho] = [Math.log10(at("rate")), Math.log10(at("rho"))];
  const optimizer =
    point.optimizer === "sgd"
      ? 0.3 * (rate + 1) ** 2 + 2 * (at("momentum") - 0.9) ** 2
      : 0.3 * (rate + 3) ** 2 + 0.05 * (Math.log10(at("decay")) + 3) ** 2 + 0.05;
  const size = 0.01 * (at("depth") - 7) ** 2 + 0.02 * (Math.log2(at("width")) - 8) ** 2;
  if (point.method === "sgd") return optimizer + size + 0.3;
  return point.method === "sam"
    ? optimizer + size + 0.2 * (rho + 1.5) ** 2 + 0.15
    : optimizer + size + 0.2 * (rho + 1) ** 2 + (at("alpha") - 0.2) ** 2;
}

export const objectives = {
  branin: { space: plane, objective: branin },
  training: { space: trainingSpace, objective: training },
};

/** Trials one after the other, each proposed from all before it. */
export function search(
  { space, objective }: { readonly space: Space; readonly objective: (point: Point) => number },
  {
    proposer,
    seed,
    count,
  }: { readonly proposer: keyof typeof proposers; readonly seed: number; readonly count: number },
): Trial[] {
  const trials: Trial[] = [];
  for (let number = 0; number < count; number++) {
    const point = proposers[proposer]({ space, seed, number, trials, direction: "minimize" });
    trials.push({ number, point, value: objective(point) });
  }
  return trials;
}
