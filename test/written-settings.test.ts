import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { resolveConfig } from "../src/train/settings.ts";
import { ConfigError } from "../src/util/errors.ts";

const of = (...overrides: string[]) => resolveConfig("", overrides);

describe("key=value as people write it", () => {
  it.each([
    [".1", 0.1],
    ["1.", 1],
    ["+.5", 0.5],
    ["1.e-3", 0.001],
    ["1e-3", 0.001],
    ["1_000", 1000],
    ["01", 1],
  ])("optimizer.lr=%s is %d", (text, value) => {
    expect(of(`optimizer.lr=${text}`).optimizer.lr).toBe(value);
  });

  it.each(["True", "TRUE", "true"])("data.flip=%s", (text) => {
    expect(of(`data.flip=${text}`).data.flip).toBe(true);
    expect(of(`data.flip=${text.replace(/true/i, "False")}`).data.flip).toBe(false);
  });

  it.each(["2024-01-01", "123", "1e5", "07:32:00", "true", "inf", "[a]", "{x}", "a#b", "a b/c's.npy", "C:\\data"])(
    "data.dir=%s is a path",
    (text) => {
      expect(of(`data.dir=${text}`).data.dir).toBe(resolve(text));
    },
  );

  it("quotes around text, and a list with or without brackets", () => {
    expect(of('data.dir="2024"').data.dir).toBe(resolve("2024"));
    expect(of("schedule.milestones=[30, 60.]").schedule.milestones).toEqual([30, 60]);
    expect(of("schedule.milestones=.5,60").schedule.milestones).toEqual([0.5, 60]);
    expect(of("schedule.milestones=[]").schedule.milestones).toEqual([]);
  });

  it.each([
    "optimizer.lr=1,5",
    "optimizer.lr=0.1.2",
    "optimizer.lr=nan",
    "optimizer.lr=inf",
    "optimizer.lr=-",
    "optimizer.lr=",
    "optimizer.lr=1e999",
    "data.flip=yes",
    "data.dir=",
    'data.images=""',
    "seed=1.5",
    "seed=99999999999999999999",
    "schedule.milestones=30;60",
  ])("%s is refused with its key", (override) => {
    expect(() => of(override)).toThrow(ConfigError);
    expect(() => of(override)).toThrow(override.split("=")[0]);
  });
});

describe("a config file as people write it", () => {
  const toml = `
    [optimizer]  # the usual
    lr = .1
    momentum = .9 # heavy
    weightDecay = 1.e-4
    nesterov = True
    [train]
    clip = 1.
    [data]
    dir = "x = .1"
    flip = FALSE
  `;
  it("is read", () => {
    const { optimizer, train, data } = resolveConfig(toml, []);
    expect(optimizer).toMatchObject({ lr: 0.1, momentum: 0.9, weightDecay: 1e-4, nesterov: true });
    expect([train.clip, data.flip, data.dir]).toEqual([1, false, resolve("x = .1")]);
    expect(resolveConfig(toml.replaceAll("\n", "\r\n"), []).optimizer.lr).toBe(0.1);
  });

  it.each([
    ["[data]\ndir = 2024-01-01\n", 'data.dir is "2024-01-01", expected text'],
    ["[data]\ndir = 123\n", "data.dir is 123, expected text"],
    ["[optimizer]\nlr = 0.1.2\n", "line 2"],
    ["[optimizer\nlr = 0.1\n", "line 1"],
  ])("%j says what is wrong", (text, message) => {
    expect(() => resolveConfig(text, [])).toThrow(message);
  });
});
