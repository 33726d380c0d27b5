import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { namedModel } from "../src/models/index.ts";
import { type Init, initialize, unpack } from "../src/nn/layout.ts";
import { declare } from "../src/nn/scope.ts";
import { ConfigError } from "../src/util/errors.ts";
import { rng } from "../src/util/rng.ts";
import { evaluate, type GoldenModel, summaryError } from "./support/golden-models.ts";
import { normOf, relativeError } from "./support/numbers.ts";
import { GOLDEN_F64, SIGMAS, VIT_F32 } from "./tolerances.ts";

const { cases } = JSON.parse(readFileSync(new URL("golden/vit.json", import.meta.url), "utf8")) as {
  readonly cases: readonly GoldenModel[];
};

/** Derivatives of PyTorch's, and the seed of the numbers that multiply them in scripts/golden/vit.py. */
const derivatives = [
  ["gradient", "grad", 2000],
  ["Hessian-vector product", "hvp", 3000],
  ["T[u, u]", "third", 4000],
] as const;

describe.each(cases.map((golden) => [golden.model, golden] as const))("%s", (name, golden) => {
  const model = declare(namedModel(golden.model, golden.options), golden.inputShape);

  it("has the names, shapes and order of torchvision's state dict", () => {
    expect(model.parameters.entries.map(({ name, shape }) => [name, shape])).toEqual(golden.parameters);
  });

  describe.each([
    ["f64", { logits: GOLDEN_F64, grad: GOLDEN_F64, hvp: GOLDEN_F64, third: GOLDEN_F64 }],
    ["f32", VIT_F32],
  ] as const)("in %s", (dtype, tolerance) => {
    let results: Record<string, ArrayLike<number>>;
    beforeAll(async () => {
      results = await evaluate(model, golden.options.classes, { dtype, third: true });
    });

    it("has PyTorch's logits and loss", () => {
      const errors = [relativeError(results.logits!, golden.logits), relativeError(results.loss!, [golden.loss])];
      console.info(`${name} in ${dtype}: relative error of logits and loss ${errors.map((e) => e.toExponential(1))}`);
      expect(Math.max(...errors)).toBeLessThan(tolerance.logits);
    });

    it.each(derivatives)("has PyTorch's %s", (what, kind, seed) => {
      const error = summaryError(model, results[kind]!, golden[kind]!, seed);
      console.info(`${name} in ${dtype}: relative error of the ${what} ${error.toExponential(1)}`);
      expect(error).toBeLessThan(tolerance[kind]);
    });
  });
});

describe("a vision transformer", () => {
  const of = (options: object, shape: readonly number[]) =>
    declare(namedModel("vit", { classes: 3, ...options }), shape);

  it("of B/16 has the published number of parameters", () => {
    expect(declare(namedModel("vit-b16", { classes: 1000 }), [1, 3, 224, 224]).parameters.size).toBe(86_567_656);
  });

  it.each([
    [{ heads: 3 }, [2, 1, 8, 8], "a width of 64 does not divide among 3 heads\n  hint: choose model.width"],
    [{}, [2, 1, 28, 30], "images of 1×28×30 do not divide into patches of 4×4 pixels\n  hint: choose model.patch"],
    [{}, [2, 9], "images of 9 do not divide into patches of 4×4 pixels"],
  ])("with %j on %j is refused", (options, shape, message) => {
    expect(() => of(options, shape)).toThrow(ConfigError);
    expect(() => of(options, shape)).toThrow(message);
  });

  /** torchvision's constructors: the deviation of normal draws, or the bound of uniform ones. */
  const expected = (name: string, [out = 1, inputs = 1, ...kernel]: readonly number[]): Init => {
    const xavier = { uniform: Math.sqrt(6 / (out + inputs)) };
    if (/class_token|heads|conv_proj.bias|(in_proj|out_proj\.|ln(_\d)?\.)_?bias/.test(name)) return { fill: 0 };
    if (/ln(_\d)?\.weight/.test(name)) return { fill: 1 };
    if (name.endsWith("pos_embedding")) return { normal: 0.02 };
    if (name === "conv_proj.weight") return { normal: 1 / Math.sqrt(kernel.reduce((a, b) => a * b, inputs)) };
    if (/mlp\.\d\.bias/.test(name)) return { normal: 1e-6 };
    return /out_proj.weight/.test(name) ? { uniform: 1 / Math.sqrt(inputs) } : xavier;
  };

  it("starts as torchvision's: every parameter's distribution, within sampling error", () => {
    const { parameters } = of({ depth: 1 }, [2, 3, 28, 28]);
    const values = unpack(
      parameters,
      initialize(parameters, (name) => rng(3, name), new Float64Array(parameters.size)),
    );
    for (const { name, shape, size } of parameters.entries) {
      const [found, rule] = [values[name]!, expected(name, shape)];
      const largest = found.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      if ("fill" in rule) {
        expect(new Set(found), name).toEqual(new Set([rule.fill]));
        continue;
      }
      const [variance, kurtosis] = "normal" in rule ? [rule.normal ** 2, 3] : [rule.uniform ** 2 / 3, 9 / 5];
      const measured = normOf(found) ** 2 / size;
      expect(Math.abs(measured - variance), name).toBeLessThan(SIGMAS * variance * Math.sqrt((kurtosis - 1) / size));
      expect(Math.abs(found.reduce((a, b) => a + b, 0) / size), name).toBeLessThan(SIGMAS * Math.sqrt(variance / size));
      if ("uniform" in rule) expect(largest / rule.uniform, name).toBeLessThanOrEqual(1);
      else if (size > 1000) expect(largest / rule.normal, name).toBeGreaterThan(3);
    }
  });

  it("starts patches of one pixel within ±2, as trunc_normal_ cuts them off", () => {
    const { parameters } = of({ patch: 1, depth: 1, width: 256 }, [1, 1, 1, 1]);
    const values = unpack(
      parameters,
      initialize(parameters, (name) => rng(3, name), new Float64Array(parameters.size)),
    );
    const largest = values["conv_proj.weight"]!.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    expect(largest).toBeLessThanOrEqual(2);
    expect(largest).toBeGreaterThan(1.9);
  });
});
