import { describe, expect, it } from "vitest";
import { type Measurement, takeTurns } from "../src/cli/bench/measure.ts";
import { type PeerName, peerNames, peers, peerTakes } from "../src/cli/bench/peers.ts";
import { entryLabel, suite, suiteMeans, type SuiteResult } from "../src/cli/bench/suite.ts";
import { benchMethods } from "../src/cli/bench/methods.ts";
import { builtIn } from "../src/train/registry.ts";

type Its = readonly [peer: PeerName, seconds: number, peakMiB: number];

/** A line where we took one second and 100 MiB. */
const result = (method: string, ...its: readonly Its[]): SuiteResult => {
  const of = (medianS: number, peakMiB: number) => ({ medianS, minS: medianS, peakMiB, firstStepS: 0 });
  const measured: Measurement = {
    side: "",
    gflop: 1,
    ours: { ...of(1, 100), traceS: 0, lowerS: 0, sessionS: 0 },
    peers: its.map(([peer, seconds, mib]) => ({
      ...{ peer, side: peer, layout: "nhwc" as const, ...of(seconds, mib) },
      ...{ ratio: 1 / seconds, memoryRatio: 100 / mib },
    })),
  };
  return { entry: suite[0]!, method, measured };
};

describe("geometric means of the suite", () => {
  const results = [
    result("grad", ["torch", 2, 400], ["jax", 0.5, 100]),
    result("grad", ["torch", 8, 100]),
    result("hvp", ["torch", 4, 50], ["jax", 8, 25]),
  ];
  const means = suiteMeans(results);
  const mean = (peer: string, method: string) => means.find((one) => one.peer === peer && one.method === method);

  it("are by peer and method, over the lines that the peer takes", () => {
    expect(mean("torch", "grad")).toMatchObject({ lines: 2, time: 1 / 4, memory: 1 / 2 });
    expect(mean("torch", "all")?.time).toBeCloseTo(1 / 4, 12);
    expect(mean("jax", "grad")).toMatchObject({ lines: 1, time: 2, memory: 1 });
    expect(mean("jax", "all")?.time).toBeCloseTo(Math.sqrt(2 / 8), 12);
  });

  it("compare with the fastest peer of each line, whose memory counts", () => {
    expect(mean("best", "grad")?.time).toBeCloseTo(Math.sqrt(2 / 8), 12);
    expect(mean("best", "grad")?.memory).toBeCloseTo(Math.sqrt(1 * 1), 12);
    expect(mean("best", "hvp")).toMatchObject({ lines: 1, time: 1 / 4, memory: 2 });
  });

  it("have no comparison with the fastest of one peer", () => {
    expect(suiteMeans([result("sam", ["torch", 2, 1])]).map(({ peer }) => peer)).toEqual(["torch", "torch"]);
  });
});

describe("the suite and its peers", () => {
  it("name models and methods that there are", () => {
    const methods = Object.keys(benchMethods(builtIn));
    for (const name of peerNames)
      for (const method of peers[name].methods) expect(methods, `${name}: ${method}`).toContain(method);
    for (const { model } of suite) expect(Object.keys(builtIn.models)).toContain(model);
  });

  it("have PyTorch in every line of gradient, SAM and Hessian-vector product", () => {
    for (const { model } of suite)
      for (const method of ["grad", "sam", "hvp"]) expect(peerTakes("torch", { model, method })).toBe(true);
    expect(peerTakes("torch-compile", { model: "mlp", method: "hvp" })).toBe(false);
    expect(new Set(suite.map(entryLabel)).size).toBe(suite.length);
  });
});

describe("turns", () => {
  /** A side whose steps take as long as it says. */
  const sideOf = (seconds: number, calls: string[], name: string) => ({
    ready: undefined,
    child: {
      ask: () => {
        calls.push(name);
        return Promise.resolve({ seconds, peakMiB: 1 });
      },
      stop: () => Promise.resolve(),
    } as never,
  });

  it("alternate, and go on while the first side has taken too little time", async () => {
    const calls: string[] = [];
    const sides = [sideOf(0.5, calls, "a"), sideOf(9, calls, "b")];
    expect((await takeTurns(sides, 3)).map((steps) => steps.length)).toEqual([3, 3]);
    expect(calls.join("")).toBe("ababab");
    expect((await takeTurns(sides, 3, 2.1)).map((steps) => steps.length)).toEqual([5, 5]);
    expect((await takeTurns(sides, 3, 1)).map((steps) => steps.length)).toEqual([3, 3]);
  });
});
