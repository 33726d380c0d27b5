import { execFileSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { inPackage } from "../../src/util/package.ts";

/**
 * Builds `dist` once for all tests that start the command: a child of it starts in half the time that the sources take.
 * Types are the business of `npm run check`.
 */
export default function build(): void {
  if (!isBuilt())
    execFileSync("npm", ["run", "-s", "build", "--", "--noCheck"], { cwd: inPackage("."), stdio: "inherit" });
}

/** A folder is newer too where a file was removed from it. */
function isBuilt(): boolean {
  const built = statSync(inPackage("dist/node.js"), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const sources = readdirSync(inPackage("src"), { recursive: true, encoding: "utf8" });
  const inputs = [inPackage("tsconfig.build.json"), ...sources.map((path) => join(inPackage("src"), path))];
  return inputs.every((path) => statSync(path).mtimeMs < built);
}
