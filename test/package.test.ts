import { cpSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { emitModel } from "eigensam/internals";
import { compile } from "eigensam/node";
import { grad } from "eigensam";
import { expect, it } from "vitest";
import * as index from "../src/index.ts";
import * as internals from "../src/internals.ts";
import * as node from "../src/node.ts";
import { inPackage } from "../src/util/package.ts";
import { packedProject } from "./support/packed.ts";

const { project, run } = packedProject();

it("gives the sources to an import by name in a clone", () => {
  expect(grad).toBe(index.grad);
  expect(compile).toBe(node.compile);
  expect(emitModel).toBe(internals.emitModel);
});

it("says in a clone that is not built what to run", () => {
  const shim = join(project, "clone/bin/eigensam.js");
  cpSync(inPackage("bin/eigensam.js"), shim);
  expect(() => run(process.execPath, [shim])).toThrow(/this clone is not built\n +hint: npm run build/);
});

it("holds what it needs and no sources", () => {
  const installed = join(project, "node_modules/eigensam");
  const files = readdirSync(installed, { recursive: true, encoding: "utf8" });
  const wanted = [
    "bin/eigensam.js",
    "dist/node.js",
    "dist/node.d.ts",
    "README.md",
    "CHANGELOG.md",
    "LICENSE",
    "docs/README.md",
  ];
  for (const file of [...wanted, "datasets/penguins/penguins.csv", "examples/hessian-vector-product.ts"])
    expect(files).toContain(file);
  const allowed =
    /^(bin\/eigensam\.js|dist\/.*\.(js|d\.ts)|docs\/.*\.(md|png|svg)|examples\/.*\.ts|configs\/.*\.toml|datasets\/.+|(README|CHANGELOG)\.md|LICENSE|package\.json)$/;
  const isFile = (file: string) => statSync(join(installed, file)).isFile();
  expect(files.filter((file) => isFile(file) && !allowed.test(file))).toEqual([]);
  const suspicious = /(^|\/)(\.|node_modules\/)|\.(pem|key|env|log)$/;
  expect(files.filter((file) => suspicious.test(file))).toEqual([]);
  const { scripts } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
  expect(Object.keys(scripts).filter((name) => /install|^prepare$/.test(name))).toEqual([]);
});

it("trains from the command line on the shipped images", () => {
  const settings = ["model.name=mlp", "model.width=8", "data.batch=500", "train.epochs=1", "threads=1"];
  run("npx", ["--no", "eigensam", "train", ...settings, "--run-dir", "run"]);
  const record = JSON.parse(readFileSync(join(project, "run/run.json"), "utf8"));
  expect(record.status).toBe("done");
});

it("takes a plugin of plain JavaScript, and says which Node reads one of TypeScript", () => {
  const plugin = `import { defineMethod, mul, unit } from "eigensam";
    export const mine = defineMethod({ name: "mine", title: "Mine", summary: "∇f(θ + ĝ/9)", ascent: ({ g }) => mul(1 / 9, unit(g)) });`;
  for (const file of ["plugin.mjs", "plugin.ts"]) writeFileSync(join(project, file), plugin);
  const settings = ["method.name=mine", "model.name=mlp", "data.batch=500", "train.epochs=1", "--json"];
  const train = (file: string, env: NodeJS.ProcessEnv = {}) =>
    run("npx", ["--no", "eigensam", "train", ...settings, "--run-dir", `run-of-${file}`, "--plugin", file], {
      env: { ...process.env, ...env },
    });
  expect(train("plugin.mjs")).toContain('"event":"done"');
  const typesInNode = "typescript" in process.features && Boolean(process.features.typescript);
  expect(() => train("plugin.ts", typesInNode ? { NODE_OPTIONS: "--no-experimental-strip-types" } : {})).toThrow(
    "Node ≥ 22.18 reads TypeScript; give a .js or .mjs file",
  );
});

it.each([
  ["nodenext", "nodenext"],
  ["esnext", "bundler"],
])(
  "type-checks a program of one's own as %s under %s, libraries included, and it trains",
  (module, moduleResolution) => {
    const name = `consumer-${moduleResolution}`;
    writeFileSync(join(project, `${name}.ts`), readFileSync(inPackage("test/fixtures/package/consumer.ts")));
    const compilerOptions = {
      target: "es2023",
      lib: ["es2023"],
      types: ["node"],
      typeRoots: [inPackage("node_modules/@types")],
      strict: true,
      noUncheckedIndexedAccess: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      module,
      moduleResolution,
    };
    writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files: [`${name}.ts`] }));
    run(process.execPath, [inPackage("node_modules/typescript/bin/tsc"), "-p", project]);
    const { first, last } = JSON.parse(run(process.execPath, [`${name}.js`]));
    expect(last).toBeLessThan(first / 10);
  },
);
