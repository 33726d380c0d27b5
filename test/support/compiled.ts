import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { inPackage } from "../../src/util/package.ts";

/** An empty project that has the package installed. */
export function emptyProject(): string {
  const folder = mkdtempSync(join(tmpdir(), "eigensam-project-"));
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(inPackage("."), join(folder, "node_modules/eigensam"));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  return folder;
}

/**
 * Compiles the TypeScript in the folder `sources` into the folder `out` of such a project: a child reads it without tsx, in half the time.
 * Gives what the compiler says; it says nothing of types under `noCheck`.
 */
export async function compileInto(
  project: string,
  sources: string,
  out: string,
  options: { readonly noCheck?: boolean } = { noCheck: true },
): Promise<string> {
  const compilerOptions = {
    noEmit: false,
    // The package as a user has it.
    customConditions: [],
    noUnusedLocals: false,
    noUnusedParameters: false,
    rootDir: sources,
    outDir: join(project, out),
    typeRoots: [inPackage("node_modules/@types")],
    ...options,
  };
  const config = { extends: inPackage("tsconfig.json"), compilerOptions, include: [`${sources}/**/*.ts`] };
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify(config));
  const { stdout } = await run([inPackage("node_modules/typescript/bin/tsc"), "-p", project]);
  return stdout;
}

/** Runs a program of JavaScript; one that fails has its output too. */
export const run = (
  args: readonly string[],
  cwd?: string,
): Promise<{ readonly stdout: string; readonly stderr: string }> =>
  promisify(execFile)(process.execPath, args, { cwd, maxBuffer: 1e8 }).catch((error) => error);
