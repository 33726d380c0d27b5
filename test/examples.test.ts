import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { inPackage } from "../src/util/package.ts";
import { compileInto, emptyProject } from "./support/compiled.ts";

/** Files that export something are parts of programs. */
const programs = readdirSync(inPackage("examples"))
  .filter((file) => file.endsWith(".ts"))
  .filter((file) => !/^export /m.test(readFileSync(inPackage(`examples/${file}`), "utf8")))
  .map((file) => file.replace(/\.ts$/, ""));

const project = emptyProject();
afterAll(() => rmSync(project, { recursive: true, force: true }));
beforeAll(async () => {
  symlinkSync(inPackage("datasets"), join(project, "datasets"));
  await compileInto(project, inPackage("examples"), "examples");
  if (process.env.EIGENSAM_SLOW === "1") return;
  // They train until something is learnt, which is long for a test of whether they run.
  for (const name of programs) {
    const path = join(project, "examples", `${name}.js`);
    const short = readFileSync(path, "utf8").replaceAll(/\bepochs: \d+/g, "epochs: 2");
    writeFileSync(path, short.replaceAll(/\bexamples: \d+/g, "examples: 96"));
  }
});

it.each(programs)("examples/%s runs and prints something", { timeout: 300_000 }, async (name) => {
  const cwd = mkdtempSync(join(project, "run-"));
  const { stdout } = await promisify(execFile)(process.execPath, [join(project, "examples", `${name}.js`)], { cwd });
  expect(stdout).not.toBe("");
});
