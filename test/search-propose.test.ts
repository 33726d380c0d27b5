import { describe, expect, it } from "vitest";
import { fresh } from "../src/search/fresh.ts";
import { type ProposeArgs, proposers, type Trial } from "../src/search/propose.ts";
import { gridOf, isActive, type Point, type Space, type Value } from "../src/search/space.ts";
import { ratioOf, split } from "../src/search/tpe.ts";
import { rng } from "../src/util/rng.ts";
import { median, summarize } from "../src/util/statistics.ts";
import { choice, objectives, range, search, trainingSpace } from "./support/search.ts";
import { SIGMAS } from "./tolerances.ts";

type Name = keyof typeof proposers;
const names = Object.keys(proposers) as Name[];

const finite: Space = [
  choice("method", ["sgd", "sam", "sam"]),
  range("depth", 1, 4, "integer"),
  choice("rho", [0.1, 0.2, [0.1, 0.2]], { method: ["sam"] }),
];
/** The points of `finite`: 4 of SGD and 4·3 of SAM. */
const SIZE = 16;

describe.each(names)("a proposal: %s", (name) => {
  const propose = (args: Partial<ProposeArgs>): Point =>
    proposers[name]({ space: trainingSpace, seed: 1, number: 30, trials: [], direction: "minimize", ...args });
  const trials = search(objectives.training, { proposer: "random", seed: 3, count: 30 });

  it("is a function of seed, number and the listed trials, in whatever order", () => {
    const point = propose({ trials });
    expect(propose({ trials: trials.toReversed() })).toEqual(point);
    expect(propose({ trials: [...trials, { number: 30, point }] })).toEqual(point);
    expect(propose({ trials, seed: 2 })).not.toEqual(point);
    expect(propose({ trials, number: 31 })).not.toEqual(point);
  });

  it("has the active parameters alone, each in its domain", () => {
    for (let number = 0; number < 40; number++) {
      const point = propose({ number, trials: trials.slice(0, number) });
      expect(Object.keys(point)).toEqual(trainingSpace.filter((each) => isActive(each, point)).map(({ key }) => key));
      for (const { key, domain } of trainingSpace.filter((each) => each.key in point)) {
        if (domain.kind === "choice") expect(domain.values).toContain(point[key]);
        else {
          expect(point[key]).toBeGreaterThanOrEqual(domain.min);
          expect(point[key]).toBeLessThanOrEqual(domain.max);
          if (domain.integer) expect(point[key]).toSatisfy(Number.isInteger);
        }
      }
    }
  });

  it("repeats no point of a trial that is over, failed or running, while there are others", () => {
    for (const seed of [1, 2, 3]) {
      const tried: Trial[] = [];
      for (let number = 0; number < SIZE; number++) {
        const point = propose({ space: finite, seed, number, trials: tried });
        // SGD alone is good, so that its few points are all that TPE would have.
        const value = point.method === "sgd" ? 0 : 1;
        tried.push({ number, point, ...[{ value }, { value }, { value }, { failed: true }, {}][number % 5]! });
      }
      expect(new Set(tried.map(({ point }) => JSON.stringify(point))).size).toBe(SIZE);
      const last = propose({ space: finite, seed, number: SIZE, trials: tried });
      expect(tried.map(({ point }) => point)).toContainEqual(last);
    }
  });

  it("leaves a point without numbers for others that have some", () => {
    const space = [choice("method", ["sgd", "sam"]), range("rho", 0, 1, "", { method: ["sam"] })];
    const tried = search(
      { space, objective: ({ method }) => (method === "sgd" ? 0 : 1) },
      { proposer: name, seed: 1, count: 20 },
    );
    expect(tried.filter(({ point }) => point.method === "sgd")).toHaveLength(1);
  });

  it("is found at once in a space too large to list", () => {
    const space = Array.from({ length: 4 }, (_, i) => range(`p${i}`, 1, 1e9, "integer"));
    expect(propose({ space, trials: [] })).not.toEqual({});
    const single = [choice("a", [1]), range("b", 2, 2), range("c", 3, 3, "log integer")];
    expect(propose({ space: single, trials: [] })).toEqual({ a: 1, b: 2, c: 3 });
  });
});

describe("a grid and a search", () => {
  it("know the same points", () => {
    const listed: Space = [finite[0]!, choice("depth", [1, 2, 3, 4]), finite[2]!];
    const text = (points: readonly Point[]) => points.map((point) => JSON.stringify(point)).sort();
    const drawn = search({ space: finite, objective: () => 0 }, { proposer: "random", seed: 1, count: SIZE });
    expect(text(drawn.map(({ point }) => point))).toEqual(text(gridOf(listed)));
  });
});

describe("a fresh point", () => {
  const space = [choice("method", ["sgd", "sam"]), range("rho", 2, 3, "", { method: ["sam"] })];
  const sgd: Point = { method: "sgd" };
  const sam: Point = { method: "sam", rho: 2.5 };
  const among = (trials: readonly Trial[]): ProposeArgs => ({
    space,
    seed: 1,
    number: 9,
    trials,
    direction: "minimize",
  });
  const taken = among([{ number: 0, point: sgd }]);

  it("is the first that was drawn, else the first free one drawn after it", () => {
    const draws = [sgd, sgd, sam, { method: "sam", rho: 2.1 }];
    expect(fresh(taken, rng(1), sam, () => sgd)).toEqual(sam);
    expect(fresh(taken, rng(1), sgd, () => draws.shift()!)).toEqual(sam);
  });

  it("is found by a walk where only taken ones are drawn, in a range at random", () => {
    const found = [1, 2, 3].map((seed) => fresh(taken, rng(seed), sgd, () => sgd));
    expect(new Set(found.map(({ rho }) => rho)).size).toBe(3);
    for (const { method, rho } of found) {
      expect(method).toBe("sam");
      expect(rho).toSatisfy((x: number) => x > 2 && x < 3);
    }
  });

  it("comes from anywhere in the space", () => {
    const numbers = among([{ number: 0, point: { n: 1 } }]);
    const found = Array.from({ length: 200 }, (_, seed) =>
      fresh({ ...numbers, space: [range("n", 1, 6, "integer")] }, rng(seed, "walk"), { n: 1 }, () => ({ n: 1 })),
    );
    expect(new Set(found.map(({ n }) => n))).toEqual(new Set([2, 3, 4, 5, 6]));
  });
});

describe("random search", () => {
  it("draws from the stream of the seed and the number", () => {
    const args = { space: [range("x", 0, 1)], seed: 4, number: 7, trials: [], direction: "minimize" } as const;
    expect(proposers.random(args)).toEqual({ x: rng(4, "search", 7).uniform() });
  });

  const draws = (parameter: Space[number]): Value[] =>
    Array.from({ length: 3000 }, (_, number) => {
      const args = { space: [parameter], seed: 1, number, trials: [], direction: "minimize" } as const;
      return proposers.random(args)[parameter.key]!;
    });

  it.each([
    ["choices", choice("p", ["a", "b", "b"]), (x: Value) => Number(x === "a"), 0.5],
    ["numbers", range("p", 2, 6), (x: Value) => x as number, 4],
    ["integers", range("p", 2, 6, "integer"), (x: Value) => x as number, 4],
    ["logarithms", range("p", 1e-4, 1, "log"), (x: Value) => Math.log10(x as number), -2],
    [
      "the logarithms of cells",
      range("p", 1, 2, "log integer"),
      (x: Value) => Number(x === 2),
      Math.log(2.5 / 1.5) / Math.log(5),
    ],
  ])("draws %s evenly", (_, parameter, measure, expected) => {
    const { n, mean, std } = summarize(draws(parameter).map(measure));
    expect(Math.abs(mean - expected)).toBeLessThan((SIGMAS * std!) / Math.sqrt(n));
  });
});

describe("TPE", () => {
  const line = [range("x", 0, 1)];
  const at = (xs: readonly number[], rest: Omit<Trial, "number" | "point">, first = 0): Trial[] =>
    xs.map((x, i) => ({ number: first + i, point: { x }, ...rest }));
  const many = (low: number, high: number) => Array.from({ length: 10 }, (_, i) => low + ((high - low) * i) / 9);
  const proposals = (trials: readonly Trial[], rest: Partial<ProposeArgs> = {}): number[] =>
    Array.from(
      { length: 20 },
      (_, seed) => proposers.tpe({ space: line, seed, number: 99, trials, direction: "minimize", ...rest }).x as number,
    );

  it("proposes at random until ten trials are over, failed ones counted and running ones not", () => {
    const args = { space: line, seed: 1, number: 50, direction: "minimize" } as const;
    const nine = at(many(0, 0.2).slice(1), { value: 1 });
    const withRunning = [...nine, ...at(many(0.8, 1), {}, 20)];
    expect(proposers.tpe({ ...args, trials: withRunning })).toEqual(proposers.random({ ...args, trials: withRunning }));
    const ten = [...nine, ...at([0.9], { failed: true }, 9)];
    expect(proposers.tpe({ ...args, trials: ten })).not.toEqual(proposers.random({ ...args, trials: ten }));
  });

  it("takes the best of 24 draws, from the stream of the seed and the number", () => {
    const trials = [...at(many(0, 0.5), { value: 1 }), ...at([0.8], { value: 0 }, 10)];
    const { good, bad } = split({ trials, number: 99, direction: "minimize" });
    const { density, log } = ratioOf(line[0]!, good, bad);
    for (const [seed, x] of proposals(trials).entries()) {
      const random = rng(seed, "search", 99);
      const draws = Array.from({ length: 24 }, () => density.draw(random));
      expect(x).toBe(draws.reduce((a, b) => (log(b) > log(a) ? b : a)));
    }
  });

  it("counts a tenth of the trials that are over as good, not of those that run", () => {
    const trials = [...at(many(0, 1), { value: 1 }), ...at(many(0.1, 0.9), {}, 10)];
    expect(split({ trials, number: 99, direction: "minimize" }).good).toHaveLength(1);
  });

  it("goes where the good are, the largest if they are wanted", () => {
    const trials = [
      ...at(many(0, 0.3), { value: 1 }),
      ...at([0.8], { value: 0 }, 10),
      ...at(many(0.4, 0.5), { value: 2 }, 11),
    ];
    expect(median(proposals(trials))).toBeGreaterThan(0.65);
    const turned = trials.map((trial) => ({ ...trial, value: -trial.value! }));
    expect(proposals(turned, { direction: "maximize" })).toEqual(proposals(trials));
    expect(proposals(trials, { direction: "maximize" })).not.toEqual(proposals(trials));
  });

  it("takes failed trials and values that are not finite for the worst, though nothing else is over", () => {
    const odd = [
      { failed: true },
      { value: Number.NaN },
      { value: Number.POSITIVE_INFINITY },
      { value: Number.NEGATIVE_INFINITY },
    ];
    for (const rest of [...odd, { value: 0, failed: true }])
      for (const direction of ["minimize", "maximize"] as const) {
        const trials = at(many(0, 0.3), rest);
        expect(split({ trials, number: 99, direction }).good).toEqual([]);
        expect(Math.min(...proposals(trials, { direction }))).toBeGreaterThan(0.4);
      }
  });

  it("keeps away from trials that run", () => {
    const trials = [...at(many(0, 0.5), { value: 1 }), ...at(many(0.6, 0.9), { value: 0 }, 10)];
    const running = at(many(0.6, 0.75), {}, 20);
    const near = (xs: readonly number[]) => xs.filter((x) => x > 0.55 && x < 0.8).length;
    expect(near(proposals([...trials, ...running]))).toBeLessThan(near(proposals(trials)) / 2);
  });
});
