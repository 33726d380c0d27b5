import { describe, expect, it } from "vitest";
import { cycleErrors, directionErrors, importsOf, type Sources } from "../scripts/check/imports.ts";
import { lengths, MAX_LINES } from "../scripts/check/length.ts";

const sources = (files: Record<string, string>): Sources => new Map(Object.entries(files));

describe("the list of imports", () => {
  it("holds static, type-only, re-exported, side-effect and dynamic imports", () => {
    const text = `
      import { a } from "./a.ts";
      import type { B } from './b.ts';
      import {
        c,
      } from "./c.ts";
      export * from "./d.ts";
      import "./e.ts";
      const f = await import("./f.ts");
      type G = import("./g.ts").G;`;
    expect(importsOf(text)).toEqual([..."abcdefg"].map((name) => `./${name}.ts`));
  });

  it("leaves out what only looks like an import", () => {
    const text = `
      // import { a } from "./a.ts";
      /* import "./b.ts" */
      const c = 'import "./c.ts"';
      const d = \`export * from "./d.ts"\`;
      const e = Buffer.from("./e.ts");`;
    expect(importsOf(text)).toEqual([]);
  });
});

describe("import direction", () => {
  it("accepts imports from the same folder, from below, and of packages", () => {
    const files = sources({
      "src/index.ts": `export * from "./cli/main.ts"; export * from "./node.ts";`,
      "src/node.ts": `import "node:fs";`,
      "src/cli/main.ts": `import { x } from "./ui.ts"; import { y } from "../graph/ops/conv.ts"; import "node:fs";`,
      "src/graph/ops/conv.ts": `import { t } from "../tensor.ts"; import { e } from "../../util/errors.ts";`,
      "src/onnx/emit.ts": `import { create } from "@bufbuild/protobuf";`,
      "src/runtime/node.ts": `import * as ort from "onnxruntime-node";`,
    });
    expect(directionErrors(files)).toEqual([]);
  });

  it("refuses an upward import, type-only ones too, naming file, import and rule", () => {
    const files = sources({ "src/graph/grad.ts": `import type { Layer } from "../nn/layers.ts";` });
    expect(directionErrors(files)).toEqual([
      `src/graph/grad.ts: imports "../nn/layers.ts": imports point downward, and "nn" lies above "graph"`,
    ]);
  });

  it("refuses an entry point imported from a folder, and a path out of src", () => {
    const files = sources({
      "src/cli/main.ts": `import { x } from "../index.ts"; import { y } from "../../scripts/check.ts"; import "eigensam";`,
    });
    expect(directionErrors(files)).toEqual([
      expect.stringContaining(`"../index.ts": entry points`),
      expect.stringContaining(`"../../scripts/check.ts": files outside src/`),
      expect.stringContaining(`"eigensam": src never imports its own package`),
    ]);
  });

  it("refuses Node built-ins and engines in the pure core", () => {
    const files = sources({
      "src/optim/sam.ts": `import { readFileSync } from "node:fs"; import os from "os"; import "onnxruntime-web";`,
    });
    const errors = directionErrors(files);
    expect(errors).toHaveLength(3);
    for (const error of errors) expect(error).toContain(`"optim" is pure core`);
  });

  it("refuses a folder that the layer list does not know", () => {
    const files = sources({ "src/helpers/x.ts": "", "src/nn/loss.ts": `import "../helpers/x.ts";` });
    expect(directionErrors(files)).toEqual([
      `src/helpers/x.ts: folder "helpers" has no place in the layer list`,
      `src/nn/loss.ts: imports "../helpers/x.ts": folder "helpers" has no place in the layer list`,
    ]);
  });
});

describe("import cycles", () => {
  it("finds none in a diamond", () => {
    const files = sources({
      "src/nn/a.ts": `import "./b.ts"; import "./c.ts";`,
      "src/nn/b.ts": `import "./d.ts";`,
      "src/nn/c.ts": `import "./d.ts";`,
      "src/nn/d.ts": "",
    });
    expect(cycleErrors(files)).toEqual([]);
  });

  it("prints a cycle once, as a chain, even through a type-only import and a longer way in", () => {
    const files = sources({
      "src/nn/a.ts": `import "./b.ts";`,
      "src/nn/b.ts": `import type { C } from "./ops/c.ts";`,
      "src/nn/ops/c.ts": `import "../b.ts";`,
    });
    expect(cycleErrors(files)).toEqual(["import cycle: src/nn/b.ts -> src/nn/ops/c.ts -> src/nn/b.ts"]);
  });
});

describe("file length", () => {
  it("refuses a file over the limit and spares the generated one", () => {
    const files = sources({
      "src/nn/long.ts": "x\n".repeat(MAX_LINES + 1),
      "src/nn/full.ts": "x\n".repeat(MAX_LINES),
      "src/nn/short.ts": "x\n",
      "src/onnx/onnx_pb.ts": "x\n".repeat(5000),
    });
    const { errors, median } = lengths(files);
    expect(errors).toEqual(["src/nn/long.ts: got 401 lines, expected at most 400: split it"]);
    expect(median).toBe(MAX_LINES);
  });
});
