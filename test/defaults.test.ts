import { expect, it } from "vitest";
import { arraysEntry } from "../src/api/resolve-options.ts";
import { defineDataset } from "../src/data/entry.ts";
import { builtIn, extended } from "../src/train/registry.ts";
import { configToml, resolveConfig, trainSettings } from "../src/train/settings.ts";

it.each([
  ["cifar10", 4, true],
  ["cifar100", 4, true],
  ["fashion-mini", 4, true],
  ["fashion-mnist", 4, true],
  ["svhn", 0, false],
  ["npy", 0, false],
])("%s is cropped by %d and flipped: %s, unless the settings say otherwise", (name, crop, flip) => {
  expect(resolveConfig("", [`data.name=${name}`]).data).toMatchObject({ crop, flip });
  const given = [`data.name=${name}`, "data.crop=2", `data.flip=${!flip}`];
  expect(resolveConfig("", given).data).toMatchObject({ crop: 2, flip: !flip });
});

it("the data set decides the network, where none is given", () => {
  const of = (...given: string[]) => resolveConfig("", given).model;
  expect(of()).toEqual({ name: "resnet18" });
  expect(of("data.name=csv", "model.width=8")).toEqual({ name: "mlp", width: 8 });
  expect(of("data.name=csv", "model.name=cnn6").name).toBe("cnn6");
  // Settings are compared as texts, and the name comes first.
  expect(Object.keys(of("model.width=8"))).toEqual(["name", "width"]);
  const dataset = (shape: readonly number[]) =>
    arraysEntry({ name: "arrays", inputShape: shape } as Parameters<typeof arraysEntry>[0]);
  expect(dataset([4]).model).toBe("mlp");
  expect(dataset([3, 8, 8]).model).toBeUndefined();
});

it("a data set of a plugin is left as it is", () => {
  const load = () => Promise.reject(new Error("not read"));
  const registry = extended(builtIn, [defineDataset({ name: "mine", summary: "…", load })]);
  expect(trainSettings(registry).check({ data: { name: "mine" } }).data).toMatchObject({ crop: 0, flip: false });
});

it("the optimizer decides the learning rate, method and network the radius", () => {
  const of = (...given: string[]) => resolveConfig("", given);
  expect(of("model.name=resnet50").optimizer).toMatchObject({ lr: 0.1, weightDecay: 5e-4 });
  expect(of("model.name=cnn6", "optimizer.lr=0.3").optimizer.lr).toBe(0.3);
  expect(of("model.name=cnn6", "optimizer.name=adamw").optimizer).toMatchObject({ lr: 1e-3, weightDecay: 0.01 });
  expect(of("optimizer.name=adamw", "optimizer.weightDecay=0").optimizer).toMatchObject({ weightDecay: 0 });
  expect(of("method.name=asam").method.rho).toBe(0.5);
  expect(of("model.name=cnn6", "method.name=sam").method.rho).toBe(0.02);
  expect(of("model.name=cnn6", "method.name=asam").method.rho).toBe(0.2);
  expect(of("model.name=cnn6", "method.rho=0.1").method.rho).toBe(0.1);
  expect(of("model.name=cnn6", "method.name=sgd").method.rho).toBeUndefined();
  // bSAM has momentum and decay of its own.
  expect(of("method.name=bsam").optimizer).toMatchObject({ lr: 0.5, momentum: 0, weightDecay: 0 });
  expect(of("method.name=bsam", "optimizer.momentum=0.5").optimizer).toMatchObject({ lr: 0.5, momentum: 0.5 });
  expect(of("method.name=sam").optimizer).toMatchObject({ lr: 0.1, momentum: 0.9, weightDecay: 5e-4 });
  expect(of("method.name=sam").method.rho).toBe(of("method.name=eigen-sam").method.rho);
});

it("the settings of an earlier version, written out in full, stay what they are", () => {
  const earlier = ["data.name=npy", "data.crop=4", "data.flip=true", "optimizer.name=adamw", "optimizer.lr=0.1"];
  const config = resolveConfig("", [...earlier, "optimizer.weightDecay=5e-4", "model.name=cnn6"]);
  const text = configToml(config);
  expect(resolveConfig(text, [])).toEqual(config);
  expect(configToml(resolveConfig(text, []))).toBe(text);
  // What is filled in stands where it would be written.
  const open = configToml(resolveConfig("", ["model.name=cnn6"]));
  expect(configToml(resolveConfig(open, []))).toBe(open);
});
