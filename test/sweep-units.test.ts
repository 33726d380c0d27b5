import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { sweepOf } from "../src/sweep/definition.ts";
import { readTrials } from "../src/sweep/trial-files.ts";
import { searchUnits, type Results, type Unit } from "../src/sweep/units.ts";
import { builtIn } from "../src/train/registry.ts";
import { trainSettings } from "../src/train/settings.ts";

const settings = trainSettings(builtIn);

/** A sweep over the learning rate, whose runs are worth what `worth` says, without training. */
function searched(toml: string, worth: (lr: number, seed: number, epoch: number) => number) {
  const definition = sweepOf(`${toml}\n[vary]\noptimizer.lr = { min = 0.01, max = 1, log = true }`, {
    source: "s.toml",
    fallbackName: "s",
    read: () => "",
  });
  const out = mkdtempSync(join(tmpdir(), "eigensam-units-"));
  const sweep = { definition, settings, out, threads: 1, texts: { name: "s", toml } };
  /** Epochs that each run has come to. */
  const come = new Map<string, number>();
  const made: string[] = [];
  const valueAt = ({ config }: Unit["run"], epoch: number) => worth(config.optimizer.lr, config.seed, epoch);
  const results: Results = {
    final: (run) =>
      come.get(run.name) === run.config.train.epochs ? valueAt(run, run.config.train.epochs) : undefined,
    atEpoch: (run, epoch) => ((come.get(run.name) ?? 0) >= epoch ? valueAt(run, epoch) : undefined),
  };
  const train = ({ run, untilEpoch = run.config.train.epochs }: Unit) => {
    made.push(`${run.name}@${untilEpoch}`);
    come.set(run.name, untilEpoch);
  };
  const units = () => searchUnits(sweep, results);
  const all = async (limit = Number.POSITIVE_INFINITY) => {
    const source = units();
    for (let i = 0; i < limit; i++) {
      const unit = await source.next();
      if (!unit) return;
      train(unit);
      source.ended(unit, "done");
    }
  };
  return { units, all, made, train, out, come };
}

const LR = (lr: number) => -Math.abs(Math.log(lr / 0.1));

describe("the trials of a search", () => {
  it("are made with every seed, each once, and are kept", async () => {
    const { all, made, out } = searched('seeds = "1..2"\n[search]\nby = "tpe"\ntrials = 5', LR);
    await all();
    expect(made).toHaveLength(10);
    expect(new Set(made).size).toBe(10);
    const trials = readTrials(out);
    expect(trials.map(({ number }) => number)).toEqual([0, 1, 2, 3, 4]);
    expect(trials.map(({ after }) => after)).toEqual([[], [0], [0, 1], [0, 1, 2], [0, 1, 2, 3]]);
    expect(new Set(trials.map(({ point }) => point["optimizer.lr"])).size).toBe(5);
  });

  it("go on after a stop with the same proposals, and nothing is made twice", async () => {
    const toml = 'seeds = "1..2"\n[search]\nby = "tpe"\ntrials = 14';
    const [whole, parts] = [searched(toml, LR), searched(toml, LR)];
    await whole.all();
    for (const limit of [3, 1, 8]) await parts.all(limit);
    await parts.all();
    expect(parts.made).toEqual(whole.made);
    expect(readTrials(parts.out)).toEqual(readTrials(whole.out));
  });

  it("are proposed side by side, where the ones that run count as such", async () => {
    const { units, train } = searched('[search]\nby = "tpe"\ntrials = 3', LR);
    const source = units();
    const [a, b, c] = [await source.next(), await source.next(), await source.next()];
    expect(new Set([a, b, c].map((unit) => unit!.run.name)).size).toBe(3);
    // Nothing is left to begin, and something may still come of what runs.
    let fourth: unknown = "waiting";
    const asked = source.next().then((unit) => {
      fourth = unit;
    });
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(fourth).toBe("waiting");
    for (const unit of [a!, b!, c!]) {
      train(unit);
      source.ended(unit, "done");
    }
    await asked;
    expect(fourth).toBeUndefined();
  });

  it("cost only themselves where a seed fails, and a stop ends them", async () => {
    const { units, train } = searched('seeds = "1..2"\n[search]\nby = "tpe"\ntrials = 2', LR);
    const source = units();
    const first = (await source.next())!;
    source.ended(first, "failed");
    // The other seed of a trial that cannot be ranked is not begun.
    const second = (await source.next())!;
    expect(second.run.trial).toBe(1);
    train(second);
    source.ended(second, "done");
    const third = (await source.next())!;
    expect(third.run.trial).toBe(1);
    source.ended(third, "stopped");
    expect(await source.next()).toBeUndefined();
  });
});

describe("ASHA", () => {
  const toml = '[settings]\ntrain.epochs = 9\n[search]\nby = "asha"\ntrials = 9\neta = 3\nminEpochs = 1';

  it("trains every trial to the first rung, and the best of each rung further", async () => {
    const { all, come, out, made } = searched(
      `seeds = "1..2"\n${toml}`,
      (lr, seed, epoch) => LR(lr) + 0.001 * (seed + epoch),
    );
    await all();
    const trials = readTrials(out);
    expect(trials).toHaveLength(9);
    for (const { rungs } of trials) expect(rungs[0]!.epoch).toBe(1);
    for (const [i, { rungs }] of trials.entries()) {
      // Within the best third, at least one, of those recorded before and itself.
      const seen = trials.slice(0, i + 1).map((trial) => trial.rungs[0]!.value);
      const better = seen.filter((value) => value > rungs[0]!.value).length;
      expect(rungs[0]!.goesOn).toBe(better < Math.max(1, Math.floor((i + 1) / 3)));
      expect(rungs[1]?.epoch).toBe(rungs[0]!.goesOn ? 3 : undefined);
    }
    // The mean over seeds 1 and 2.
    expect(trials[0]!.rungs[0]!.value).toBeCloseTo(LR(trials[0]!.point["optimizer.lr"] as number) + 0.0025, 12);
    const whole = trials.filter(({ rungs }) => rungs.length === 2 && rungs[1]!.goesOn);
    expect([...come.values()].filter((epoch) => epoch === 9)).toHaveLength(2 * whole.length);
    expect(whole.length).toBeGreaterThan(0);
    expect(whole.length).toBeLessThan(9);
    expect(new Set(made).size).toBe(made.length);
  });

  it("goes on after a stop with the same decisions", async () => {
    const worth = (lr: number, _: number, epoch: number) => LR(lr) * (1 + 1 / epoch);
    const [whole, parts] = [searched(toml, worth), searched(toml, worth)];
    await whole.all();
    for (const limit of [1, 4, 2, 3]) await parts.all(limit);
    await parts.all();
    expect(parts.made).toEqual(whole.made);
    expect(readTrials(parts.out)).toEqual(readTrials(whole.out));
  });

  it("stops a trial whose value is no number", async () => {
    const { all, out } = searched(toml, () => Number.NaN);
    await all();
    expect(readTrials(out).map(({ rungs }) => rungs.map(({ goesOn }) => goesOn))).toEqual(Array(9).fill([false]));
  });
});
