import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exportsOf } from "../scripts/docs/api.ts";
import * as node from "../src/node.ts";
import { EigensamError } from "../src/util/errors.ts";
import { inPackage } from "../src/util/package.ts";
import { compileInto, emptyProject, run } from "./support/compiled.ts";
import { exampleOf, moduleOf, type Outcome } from "./support/doc-examples.ts";

const read = (path: string) => readFileSync(inPackage(path), "utf8");
const exported = [...exportsOf("src/index.ts", read), ...exportsOf("src/node.ts", read)];
const docs = new Map(exported.map(({ name, doc }) => [name, doc]));
/** Errors need no program: they are thrown, not made. */
const functions = Object.entries(node).flatMap(([name, value]) =>
  typeof value === "function" && !(value === EigensamError || value.prototype instanceof EigensamError) ? [name] : [],
);

const folder = emptyProject();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const examples = functions.map((name) => ({ name, code: exampleOf(name, docs) }));
let typeErrors = "";
let outcomes: Readonly<Record<string, Outcome>> = {};

/** One project and one process for all: the compiler takes its second once. */
beforeAll(async () => {
  const types = exported.flatMap(({ name, kind }) => (kind === "type" || kind === "interface" ? [name] : []));
  mkdirSync(join(folder, "programs"));
  writeFileSync(join(folder, "programs/examples.ts"), moduleOf(examples, { values: Object.keys(node), types }));
  typeErrors = await compileInto(folder, join(folder, "programs"), "compiled", {});
  const { stdout, stderr } = await run(["compiled/examples.js"], folder);
  if (!stdout.startsWith("{")) throw new Error(`the examples did not run: ${stdout}${stderr}`);
  outcomes = JSON.parse(stdout);
}, 60_000);

it("finds a docstring on everything exported, types and internals included", () => {
  const all = [...exported, ...exportsOf("src/internals.ts", read)];
  expect(all.filter(({ doc }) => doc === "").map(({ name }) => name)).toEqual([]);
});

it("type-checks every example", () => {
  expect(typeErrors).toBe("");
});

describe.each(examples)("$name", ({ name, code }) => {
  it("says what it does in a sentence", () => {
    expect(docs.get(name)?.split(/^@/m)[0]?.trim()).toMatch(/\S\.$/);
  });

  it("has an example that runs and prints what its comments say", () => {
    expect(code, `${name} has no @example`).not.toBe("");
    const { error, printed = [] } = outcomes[name] ?? {};
    expect(error).toBeUndefined();
    for (const { got, expected } of printed) expect(got).toBe(expected);
    expect(printed.length).toBeGreaterThan(0);
  });
});
