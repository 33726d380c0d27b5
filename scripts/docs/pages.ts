import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { examplesIn, filled } from "./blocks.ts";
import { brokenLinks } from "./links.ts";
import { referencePages, tables } from "./reference.ts";

export const root = fileURLToPath(new URL("../..", import.meta.url));

const read = (path: string): string => (existsSync(join(root, path)) ? readFileSync(join(root, path), "utf8") : "");

const markdownIn = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .map((file) => `${folder}/${file}`.replaceAll("\\", "/"))
    .filter((path) => path.endsWith(".md"))
    .sort();

const written = (): string[] => [
  "README.md",
  ...markdownIn("docs").filter((path) => !path.startsWith("docs/reference/")),
];

const examples = (): string[] =>
  readdirSync(join(root, "examples"), { encoding: "utf8" }).filter((file) => file.endsWith(".ts"));

function example(name: string): string {
  if (!examples().includes(name)) throw new Error(`examples/${name} does not exist: ${examples().join(", ")} do`);
  return read(`examples/${name}`);
}

function tableOf(name: string): string {
  const make = tables[name];
  if (make === undefined) throw new Error(`there is no table ${name}: ${Object.keys(tables).join(", ")}`);
  return make();
}

function filledPage(path: string): string {
  try {
    return filled(read(path), { example, table: tableOf });
  } catch (error) {
    throw new Error(`${path}: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
}

/** Everything that `npm run docs` writes: path from the root → text. */
export function pages(): ReadonlyMap<string, string> {
  const reference = [...referencePages(read)].map(([name, text]) => [`docs/reference/${name}`, text] as const);
  const filledIn = written().map((path) => [path, filledPage(path)] as const);
  return new Map([...reference, ...filledIn]);
}

/** What is wrong with the documentation: stale pages, programs that no page shows, links to nothing. */
export function docsErrors(): string[] {
  try {
    const now = [...pages()];
    const shown = now.flatMap(([, text]) => examplesIn(text));
    const stale = now.filter(([path, text]) => read(path) !== text);
    return [
      ...stale.map(([path]) => `${path} is stale: npm run docs`),
      ...examples()
        .filter((name) => !shown.includes(name))
        .map((name) => `examples/${name} is shown on no page`),
      ...now.flatMap(([path, text]) =>
        brokenLinks(text, (to) => existsSync(join(root, dirname(path), to))).map((to) => `${path}: no file ${to}`),
      ),
    ];
  } catch (error) {
    return [String(error)];
  }
}
