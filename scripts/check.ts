/** `npm run check`: format and lint, types, import direction, import cycles, file length, documentation; one line each. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cycleErrors, directionErrors } from "./check/imports.ts";
import { lengths, MAX_LINES } from "./check/length.ts";
import { docsErrors } from "./docs/pages.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

function tool(name: string, ...args: string[]): string[] {
  const { status, stdout, stderr, error } = spawnSync(join(root, "node_modules/.bin", name), args, {
    cwd: root,
    encoding: "utf8",
  });
  if (error !== undefined) return [`${name} did not start: ${error.message}`];
  return status === 0 ? [] : `${stdout}${stderr}`.trim().split("\n");
}

function typescriptIn(...folders: string[]): Map<string, string> {
  const files = folders
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((f) => join(folder, f)),
    )
    .filter((file) => file.endsWith(".ts"))
    .map((file) => file.replaceAll("\\", "/"))
    .sort();
  return new Map(files.map((file) => [file, readFileSync(join(root, file), "utf8")]));
}

function report(name: string, errors: readonly string[], note = ""): void {
  console.log(`${errors.length === 0 ? "ok  " : "FAIL"} ${name}${note === "" ? "" : ` (${note})`}`);
  for (const error of errors) console.log(`     ${error}`);
  if (errors.length > 0) process.exitCode = 1;
}

const src = typescriptIn("src");
const all = typescriptIn("src", "test", "bench", "scripts", "examples");
const { errors: tooLong, median } = lengths(all);

report("format and lint", tool("biome", "ci", "--colors=off"));
report("types", tool("tsc", "--noEmit"));
report("import direction", directionErrors(src), `${src.size} files`);
report("import cycles", cycleErrors(src));
report("file length", tooLong, `${all.size} files, median ${median} lines, limit ${MAX_LINES}`);
report("documentation", docsErrors());
