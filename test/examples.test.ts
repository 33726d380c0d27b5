import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { inPackage } from "../src/util/package.ts";

/** Files that export something are parts of programs. */
const programs = readdirSync(inPackage("examples"))
  .filter((file) => file.endsWith(".ts"))
  .filter((file) => !/^export /m.test(readFileSync(inPackage(`examples/${file}`), "utf8")));
const tsx = ["--import", import.meta.resolve("tsx")];

it.each(programs)("examples/%s runs and prints something", async (file) => {
  const cwd = mkdtempSync(join(tmpdir(), "eigensam-example-"));
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [...tsx, inPackage(`examples/${file}`)], {
      cwd,
    });
    expect(stdout).not.toBe("");
  } finally {
    rmSync(cwd, { recursive: true });
  }
});
