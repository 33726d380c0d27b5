import { type ExecFileSyncOptions, execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { inPackage } from "../../src/util/package.ts";

/** An empty project that has the package from its tarball, as a user with install scripts blocked gets it, and a way to run commands there. */
export function packedProject() {
  const project = mkdtempSync(join(tmpdir(), "eigensam-package-"));
  afterAll(() => rmSync(project, { recursive: true, force: true }), 60_000);

  const run = (command: string, args: readonly string[], options: ExecFileSyncOptions = {}): string => {
    try {
      return execFileSync(command, args, { cwd: project, encoding: "utf8", stdio: "pipe", ...options }) as string;
    } catch (error) {
      const { stdout, stderr } = error as { stdout?: string; stderr?: string };
      throw new Error(`${command} ${args.join(" ")} failed:\n${stdout}${stderr}`, { cause: error });
    }
  };

  beforeAll(() => {
    // A clone of its own: packing builds, and other tests run what is built here.
    const clone = join(project, "packed");
    const { files } = JSON.parse(readFileSync(inPackage("package.json"), "utf8")) as { files: string[] };
    const sources = ["package.json", "README.md", "LICENSE", "tsconfig.json", "tsconfig.build.json", "src", ...files];
    for (const path of sources.filter((path) => path !== "dist" && !path.startsWith("!")))
      cpSync(inPackage(path), join(clone, path), { recursive: true });
    symlinkSync(inPackage("node_modules"), join(clone, "node_modules"));
    const tarball = run("npm", ["pack", "--silent", "--pack-destination", project], { cwd: clone }).trim();
    rmSync(clone, { recursive: true });
    writeFileSync(join(project, "package.json"), JSON.stringify({ private: true, type: "module" }));
    const quick = ["--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund", "--silent"];
    run("npm", ["install", ...quick, `./${tarball}`]);
  }, 240_000);

  return { project, run };
}
