import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { checkConfig, configToml, resolveConfig, settings } from "../src/train/settings.ts";
import { sdeSettings } from "../src/experiments/sde/config.ts";
import { ConfigError } from "../src/util/errors.ts";

describe("settings", () => {
  it("have defaults for everything that needs one", () => {
    const config = resolveConfig("", []);
    expect(config).toMatchObject({
      seed: 1,
      model: { name: "resnet18" },
      data: { name: "fashion-mini", batch: 128, validation: 0.1 },
      method: { name: "eigen-sam", rho: 0.05, alpha: 0.2, every: 100, iterations: 5 },
      optimizer: { name: "sgd", lr: 0.1, momentum: 0.9, weightDecay: 5e-4 },
    });
  });

  it("come from TOML, and arguments win", () => {
    const toml = 'seed = 7\n[model]\nname = "mlp"\nwidth = 32\n[optimizer]\nlr = 0.5\n';
    const config = resolveConfig(toml, ["optimizer.lr=0.25", "method.name=sam", "schedule.milestones=[1, 2.5]"]);
    expect(config).toMatchObject({ seed: 7, model: { name: "mlp", width: 32 }, optimizer: { lr: 0.25 } });
    expect(config.method.name).toBe("sam");
    expect(config.schedule.milestones).toEqual([1, 2.5]);
  });

  it("survive the way through config.toml unchanged", () => {
    const config = resolveConfig("", [
      "model.width=3",
      "optimizer.weightDecay=1e-5",
      'data.dir="a b"',
      "schedule.milestones=[3]",
    ]);
    expect(resolveConfig(configToml(config), [])).toEqual(config);
    expect(configToml(resolveConfig(configToml(config), []))).toBe(configToml(config));
  });

  it.each<[string, readonly string[], string]>([
    ["an unknown key", ["method.roh=0.1"], "there is no setting method.roh\n  hint: did you mean method.rho?"],
    ["a key without its table", ["rho=0.1"], "did you mean method.rho?"],
    ["an unknown name", ["model.name=resnet81"], 'model.name is "resnet81", expected one of resnet18'],
    ["a number that is text", ["method.rho=big"], 'method.rho is "big"'],
    ["a number out of range", ["data.validation=1.5"], "data.validation is 1.5"],
    ["a fraction for a count", ["train.epochs=2.5"], "train.epochs is 2.5"],
    ["no value", ["train.epochs"], '"train.epochs" is no setting'],
    ["an empty value", ["train.epochs="], 'train.epochs is ""'],
    ["a table for a value", ["model=3"], "there is no setting model"],
  ])("say what is wrong with %s", (_, overrides, message) => {
    expect(() => resolveConfig("", overrides)).toThrow(ConfigError);
    expect(() => resolveConfig("", overrides)).toThrow(message);
  });

  it.each([["train.diagnosticsEvery", "probe.every"]])(
    "say that %s is called %s now, in arguments, files and objects",
    (before, now) => {
      const [table, key] = before.split(".") as [string, string];
      const message = `there is no setting ${before}\n  hint: it is ${now} now`;
      expect(settings.map(({ key }) => key)).toContain(now);
      expect(() => resolveConfig("", [`${before}=5`])).toThrow(message);
      expect(() => resolveConfig(`[${table}]\n${key} = 5`, [])).toThrow(message);
      expect(() => checkConfig({ [table]: { [key]: 5 } })).toThrow(message);
    },
  );

  it("say where TOML is broken", () => {
    expect(() => resolveConfig("[model\nname = 3", [], "my.toml")).toThrow(/^my.toml: line 1, column \d+: /);
    expect(() => resolveConfig("[model]\nnme = 3", [], "my.toml")).toThrow("my.toml: there is no setting model.nme");
    expect(() => resolveConfig("model = 3", [], "my.toml")).toThrow("model is 3");
  });

  it("cannot be numbers that JSON and TOML do not share", () => {
    expect(() => checkConfig({ optimizer: { lr: Number.NaN } })).toThrow("optimizer.lr");
    expect(() => resolveConfig("", ["optimizer.lr=inf"])).toThrow("optimizer.lr");
  });

  it("are all listed for the help text", () => {
    const settingKeys = settings.map(({ key }) => key);
    expect(settingKeys).toContain("seed");
    expect(settingKeys).toContain("method.compat");
    expect(settingKeys.length).toBeGreaterThan(35);
  });
});

describe("the files under configs/", () => {
  const folder = new URL("../configs/", import.meta.url);
  it.each(readdirSync(folder))("%s is valid", (name) => {
    const toml = readFileSync(new URL(name, folder), "utf8");
    const ofTraining = name !== "sde.toml";
    const config = ofTraining ? resolveConfig(toml, [], name) : sdeSettings.resolve(toml, [], name);
    expect(config.seed).toBe(ofTraining ? 1 : undefined);
  });
});
