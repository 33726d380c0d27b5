import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { sweepOf } from "../src/sweep/definition.ts";
import { begin, sweepIn, sweepOfFile, trialsOf } from "../src/sweep/sweep.ts";
import { fixedTrials, trialOf, unreadKeys } from "../src/sweep/trials.ts";
import { builtIn } from "../src/train/registry.ts";
import { trainSettings } from "../src/train/settings.ts";

const settings = trainSettings(builtIn);
const of = (toml: string, base = "") => sweepOf(toml, { source: "s.toml", fallbackName: "s", read: () => base });
const sweep = (toml: string, base?: string) => ({ definition: of(toml, base), settings });
const pointsOf = (toml: string) => fixedTrials(sweep(toml)).map(({ point }) => point);

describe("a sweep file", () => {
  it("has defaults", () => {
    expect(of("")).toMatchObject({ name: "s", seeds: [1], measure: "val.accuracy", space: [], listed: [] });
    expect(of("").search).toMatchObject({ by: "grid", trials: 20, seed: 1 });
  });

  it("multiplies what varies, and adds what varies under a condition where that holds", () => {
    const toml = `
      [vary]
      method.name = ["sgd", "sam", "eigen-sam"]
      optimizer.lr = [0.1, 0.2]
      [[when]]
      if.method.name = ["sam", "eigen-sam"]
      vary.method.rho = [0.05, 0.1]
      [[when]]
      if = { "method.name" = "eigen-sam", "method.rho" = 0.1 }
      vary = { "method.alpha" = [0.1, 0.2] }
    `;
    const points = pointsOf(toml);
    // sgd 1, sam 2, eigen-sam 1 + 2 for each of two learning rates.
    expect(points).toHaveLength(2 * (1 + 2 + 3));
    expect(points.filter((point) => "method.alpha" in point)).toEqual(
      [0.1, 0.2].flatMap((lr) =>
        [0.1, 0.2].map((alpha) => ({
          ...{ "method.name": "eigen-sam", "optimizer.lr": lr },
          ...{ "method.rho": 0.1, "method.alpha": alpha },
        })),
      ),
    );
    expect(points.filter((point) => point["method.name"] === "sgd").every((point) => !("method.rho" in point))).toBe(
      true,
    );
  });

  it("makes one trial of points that come to equal settings, with its own number", () => {
    const trials = fixedTrials(sweep('[vary]\nmethod.name = ["sgd", "sam"]\nmethod.rho = [0.05, 0.1, 0.2]'));
    expect(trials.map(({ number, point }) => [number, point["method.name"], point["method.rho"]])).toEqual([
      [0, "sgd", 0.05],
      [1, "sam", 0.05],
      [2, "sam", 0.1],
      [3, "sam", 0.2],
    ]);
    expect(trials.flatMap(({ runs }) => runs.map(({ trial }) => trial))).toEqual([0, 1, 2, 3]);
  });

  it("takes points of a range for a grid: evenly, or by equal factors", () => {
    const toml = `[vary]
      optimizer.lr = { min = 0.01, max = 1, log = true, points = 3 }
      optimizer.momentum = { min = 0, max = 0.9, points = 4 }
      model.width = { min = 4, max = 7, points = 3, integer = true }`;
    const domains = of(toml).space.map(({ domain }) => domain);
    expect(domains).toEqual([
      { kind: "choice", values: [0.01, 0.1, 1] },
      { kind: "choice", values: [0, 0.3, 0.6, 0.9] },
      { kind: "choice", values: [4, 6, 7] },
    ]);
  });

  it("lists runs one by one", () => {
    const toml =
      '[settings]\nmodel.name = "mlp"\n[[runs]]\nmethod.name = "sam"\nmethod.rho = 0.3\n[[runs]]\nmethod.name = "sgd"';
    const trials = fixedTrials(sweep(toml));
    expect(trials.map(({ runs }) => [runs[0]!.config.method.name, runs[0]!.config.method.rho])).toEqual([
      ["sam", 0.3],
      ["sgd", undefined],
    ]);
  });

  it("puts its settings over those of the file that it names", () => {
    const { config } = fixedTrials(
      sweep(
        'config = "b.toml"\n[settings]\nmodel.width = 8',
        '[model]\nname = "mlp"\nwidth = 4\n[optimizer]\nlr = 0.3',
      ),
    )[0]!.runs[0]!;
    expect([config.model.name, config.model.width, config.optimizer.lr]).toEqual(["mlp", 8, 0.3]);
  });

  it("gives every run an id by its settings alone", () => {
    const toml = (more: string) => `seeds = "1..2"\n${more}\n[vary]\noptimizer.lr = [0.1, 0.2]`;
    const idsOf = (text: string) => fixedTrials(sweep(text)).flatMap(({ runs }) => runs.map(({ id }) => id));
    const ids = idsOf(toml(""));
    expect(new Set(ids).size).toBe(4);
    expect(ids.every((id) => /^[0-9a-f]{8}$/.test(id))).toBe(true);
    expect(idsOf(toml('name = "other"\nmeasure = "val.loss"'))).toEqual(ids);
    // In another order they are the same runs.
    expect(idsOf("seeds = [2, 1]\n[vary]\noptimizer.lr = [0.2, 0.1]").toSorted()).toEqual(ids.toSorted());
    const again = trialOf(sweep(toml("")), 7, { "optimizer.lr": 0.2 }).runs[1]!;
    expect(again).toMatchObject({ id: ids[3], trial: 7, name: `lr0.2-seed2-${ids[3]}` });
  });

  it("says which of what varies no run reads", () => {
    const given = sweep('[settings]\nmethod.name = "sgd"\n[vary]\nmethod.rho = [0.1, 0.2]');
    expect(unreadKeys(given, fixedTrials(given))).toEqual(["method.rho"]);
  });

  it.each<[string, RegExp]>([
    ["[vary]\nmethod.rho = 0.1", /method.rho varies over 0.1, expected a list of values or a range/],
    ["[vary]\nmethod.rho = []", /method.rho varies over \[\], expected a list/],
    ["[vary]\noptimizer.lr = { min = 1, max = 0.1 }", /the range of optimizer.lr .* min below max/],
    ["[vary]\noptimizer.lr = { min = 0, max = 1, log = true }", /min above 0 where log is true/],
    ["[vary]\noptimizer.lr = { min = 0.1, max = 1 }", /is a range, and a grid needs points[\s\S]*add points = 5/],
    ["[vary]\nseed = [1, 2]", /seed varies[\s\S]*seeds = "1..5"/],
    [
      '[[when]]\nif.method.name = "sam"\nvary.method.rho = [0.1]',
      /method.rho depends on method.name, expected an earlier parameter/,
    ],
    ["[vary]\nmethod.rho = [0.1]\n[[runs]]\nmethod.rho = 0.2", /has both \[\[runs\]\] and what varies/],
    ["model.width = 3", /there is no model in a sweep[\s\S]*\[settings\]/],
    ['seeds = "5..1"', /s.toml: seeds is "5..1", expected seeds as in/],
    ["seeds = []", /s.toml: seeds is \[\]/],
    ['measure = "accuracy"', /measure is "accuracy"/],
    ['[search]\nby = "bayes"', /search.by is "bayes"/],
    ["x = ", /s.toml: line 1/],
    ["[settings]\nmodel.name = 3\n[settings.model.name]", /s.toml: line 3/],
  ])("%j is refused", (toml, message) => {
    expect(() => fixedTrials(sweep(toml))).toThrow(message);
  });

  it("names a wrong setting of a run as train does", () => {
    expect(() => fixedTrials(sweep("[vary]\nmethod.rho = [0.1, -1]"))).toThrow(/method.rho is -1/);
    expect(() => fixedTrials(sweep("[settings]\nmodel.witdh = 3"))).toThrow(/did you mean model.width/);
  });
});

describe("the folder of a sweep", () => {
  const folder = mkdtempSync(join(tmpdir(), "eigensam-sweep-"));
  const file = (name: string, toml: string) => {
    const path = join(folder, name);
    writeFileSync(path, toml);
    return path;
  };
  const opened = (name: string, toml: string, out: string) =>
    sweepOfFile(file(name, toml), { settings, out: join(folder, out) });

  it("holds all that its runs need, and the threads it was begun with", () => {
    file("base.toml", "[optimizer]\nlr = 0.3");
    const begun = begin(opened("a.toml", 'config = "base.toml"\n[vary]\nmodel.width = [4, 8]', "a"), 3);
    expect(begun.threads).toBe(3);
    // On another machine with more cores, and without the files.
    file("base.toml", "[optimizer]\nlr = 9");
    const found = sweepIn(join(folder, "a"), settings);
    expect(trialsOf(found)).toEqual(trialsOf(begun));
    expect(trialsOf(found)[1]!.runs[0]!.config).toMatchObject({
      threads: 3,
      model: { width: 8 },
      optimizer: { lr: 0.3 },
    });
  });

  it("is taken up by the same sweep alone, wherever that runs", () => {
    const toml = "[vary]\nmodel.width = [4, 8]";
    begin(opened("b.toml", toml, "b"), 1);
    expect(begin(opened("b.toml", `# the same\n${toml}\n[slurm]\ntime = "1:00:00"`, "b"), 4).threads).toBe(1);
    expect(() => begin(opened("b.toml", `seeds = [2]\n${toml}`, "b"), 1)).toThrow(/holds another plan: changed: seeds/);
    expect(() => begin(opened("b.toml", `${toml}\noptimizer.lr = [0.1]`, "b"), 1)).toThrow(/changed: values that vary/);
    expect(() => begin(opened("b.toml", `${toml}\n[settings]\noptimizer.lr = 0.1`, "b"), 1)).toThrow(
      /changed: settings/,
    );
  });

  it("is refused where it holds anything else", () => {
    file("x", "");
    expect(() => begin(sweepOfFile(file("c.toml", ""), { settings, out: folder }), 1)).toThrow(/is not empty/);
    expect(() => sweepIn(folder, settings)).toThrow(/holds no sweep/);
    expect(() => sweepOfFile(join(folder, "none.toml"), { settings })).toThrow(/none.toml cannot be read/);
  });
});
