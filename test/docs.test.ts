import { existsSync, readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { z } from "zod";
import { exportsOf } from "../scripts/docs/api.ts";
import { examplesIn, filled } from "../scripts/docs/blocks.ts";
import { brokenLinks } from "../scripts/docs/links.ts";
import { table } from "../scripts/docs/markdown.ts";
import { docsErrors } from "../scripts/docs/pages.ts";
import { registryTable } from "../scripts/docs/reference.ts";
import { settingsTables } from "../scripts/docs/settings.ts";
import { inPackage } from "../src/util/package.ts";

const fillings = { example: (name: string) => `// ${name}\n`, table: (name: string) => `| ${name} |` };

it("finds nothing stale, unshown or broken", () => {
  expect(docsErrors()).toEqual([]);
});

it("fills blocks, and the same again in a page that is filled", () => {
  const page = "before\n<!-- example: a.ts -->\n<!-- end -->\nbetween\n<!-- table: t -->\nold\n<!-- end -->\n";
  const once = filled(page, fillings);
  expect(once).toBe(
    "before\n<!-- example: a.ts -->\n\n```ts\n// a.ts\n```\n\n<!-- end -->\nbetween\n<!-- table: t -->\n\n| t |\n\n<!-- end -->\n",
  );
  expect(filled(once, fillings)).toBe(once);
  expect(examplesIn(once)).toEqual(["a.ts"]);
});

it("refuses a block that does not end", () => {
  expect(() => filled("<!-- example: a.ts -->\n", fillings)).toThrow("1 blocks begin and 0 end");
});

it("keeps cells within their table", () => {
  expect(table(["a"], [["|x|\ny"]])).toBe("| a |\n|---|\n| \\|x\\| y |");
});

it("shows titles and hyperparameters where an entry has them", () => {
  const registry = {
    plain: { title: "Plain", summary: "g" },
    sharp: { title: "Sharp", summary: "g + ρĝ", hyper: { rho: { default: 0.1, about: "radius" } } },
  };
  expect(registryTable(registry).split("\n")).toEqual([
    "| name | title | summary | hyperparameters |",
    "|---|---|---|---|",
    "| `plain` | Plain | g |  |",
    "| `sharp` | Sharp | g + ρĝ | `rho=0.1` radius |",
  ]);
});

it("states range, default and meaning of every setting", () => {
  const schema = z.strictObject({
    seed: z.int().min(0).default(1).describe("of everything"),
    net: z.strictObject({ rate: z.number().positive().lt(1).default(0.5), kind: z.enum(["a", "b"]).optional() }),
  });
  expect(
    settingsTables(schema)
      .split("\n")
      .filter((line) => line.startsWith("| `")),
  ).toEqual([
    "| `seed` | integer ≥ 0 | `1` | of everything |",
    "| `net.rate` | number > 0 < 1 | `0.5` |  |",
    "| `net.kind` | `a`, `b` |  |  |",
  ]);
});

it("lists exports with the first sentence of their docstring, through re-exports and new names", () => {
  const sources: Record<string, string> = {
    "src/index.ts": 'export { f, type T as U } from "./a/f.ts";\nexport * from "./a/g.ts";\n',
    "src/a/f.ts":
      '/**\n * Does f\n *\n * @example\n * f();\n */\nexport function f(): void {}\nexport type { T } from "./g.ts";\n',
    "src/a/g.ts": "/** A\n * thing: of g. */\nexport type T = 1;\nexport const g = 2;\n",
  };
  expect(
    exportsOf("src/index.ts", (path) => sources[path]!).map(({ name, kind, summary }) => [name, kind, summary]),
  ).toEqual([
    ["f", "function", "Does f"],
    ["U", "type", "A thing: of g"],
    ["T", "type", "A thing: of g"],
    ["g", "const", ""],
  ]);
});

it("finds links to files that are not there, and leaves addresses and anchors alone", () => {
  const text = "[a](a.md) [b](b.md#there) [c](https://c.org/x) ![d](d.png) [e](#here)";
  expect(brokenLinks(text, (path) => path === "a.md")).toEqual(["b.md", "d.png"]);
});

it("names tests that are there", () => {
  const pages = readdirSync(inPackage("docs"), { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".md"),
  );
  const named = pages.flatMap((page) => [
    ...readFileSync(inPackage(`docs/${page}`), "utf8").matchAll(/\btest\/[\w./-]+\.ts/g),
  ]);
  expect(named.length).toBeGreaterThan(5);
  expect(named.map(([path]) => path).filter((path) => !existsSync(inPackage(path)))).toEqual([]);
});
