import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { inPackage } from "../src/util/package.ts";

/** friendly-sam.ts declares a method and runs nothing; own-method.ts trains with it. */
const programs = readdirSync(inPackage("examples")).filter((file) => /\.ts$/.test(file) && file !== "friendly-sam.ts");
const inClone = ["--conditions=eigensam-source", "--import", import.meta.resolve("tsx")];

it.each(programs)("examples/%s runs and prints something", async (file) => {
  const cwd = mkdtempSync(join(tmpdir(), "eigensam-example-"));
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [...inClone, inPackage(`examples/${file}`)], {
      cwd,
    });
    expect(stdout).not.toBe("");
  } finally {
    rmSync(cwd, { recursive: true });
  }
});
