import { cpSync, existsSync, readdirSync, realpathSync, renameSync, rmdirSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join, resolve, sep } from "node:path";
import { ConfigError } from "../util/errors.ts";
import { makeFolder, syncFolder, syncTree } from "../util/files.ts";
import { runFiles } from "./files.ts";

/**
 * Makes a run directory whole or not at all: `write` fills a folder beside it, which is renamed at the end.
 * @throws ConfigError where something is at the target already; an empty folder is replaced
 */
export function placeRun(target: string, write: (temporary: string) => void): void {
  if (existsSync(target)) {
    if (!statSync(target).isDirectory())
      throw new ConfigError(`${target} is a file, not a folder`, { run: target }, "choose another path");
    if (readdirSync(target).length > 0)
      throw new ConfigError(`${target} is not empty`, { run: target }, "choose another folder");
  }
  const path = resolve(target);
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  rmSync(temporary, { recursive: true, force: true });
  try {
    makeFolder(temporary);
    write(temporary);
    syncTree(temporary);
    if (existsSync(path)) rmdirSync(path);
    renameSync(temporary, path);
    syncFolder(dirname(path));
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    throw error;
  }
}

/**
 * Copies a run directory, whole or not at all.
 * @throws ConfigError where the target is not empty, or lies in the run itself
 */
export function copyRun(run: string, target: string): void {
  if (resolve(target).startsWith(`${realpathSync(run)}${sep}`) || resolve(target).startsWith(`${resolve(run)}${sep}`))
    throw new ConfigError(`${target} lies in ${run} itself`, { run, target }, "choose a folder outside it");
  // Who is at work on the run is not at work on the copy.
  const { claims } = runFiles(run);
  placeRun(target, (temporary) => cpSync(run, temporary, { recursive: true, filter: (path) => path !== claims }));
}
