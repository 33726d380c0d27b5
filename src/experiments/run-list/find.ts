import { existsSync, readdirSync, realpathSync, statSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { isRun } from "../../run/directory.ts";
import { InputError } from "../../util/errors.ts";
import { isSystemError, reasonOf } from "../../util/system-errors.ts";

/** A run directory, or a folder that could not be looked into. */
export interface Found {
  readonly path: string;
  /** Short and distinct among runs of one folder: the path within it. */
  readonly name: string;
  readonly problem?: string;
}

/**
 * The run directories among paths and in folders below them, at any depth; each once, in the order of their names. Hidden folders are
 * left out. InputError where a path is not there, or no path holds a run.
 */
export function runsBelow(paths: readonly string[]): Found[] {
  const seen = new Set<string>();
  const found: Found[] = [];
  for (const root of paths) {
    if (!existsSync(root))
      throw new InputError(`${root} is not there`, { path: root }, "give run directories, or a folder of them");
    const nameOf = (path: string) =>
      path === root ? basename(realpathSync(root)) : paths.length === 1 ? relative(root, path) : path;
    const visit = (path: string): void => {
      const real = realpathSync(path);
      if (seen.has(real)) return;
      seen.add(real);
      const name = nameOf(path);
      if (isRun(path)) found.push({ path, name });
      else {
        const inner = foldersIn(path);
        if (typeof inner === "string") found.push({ path, name, problem: inner });
        else for (const folder of inner) visit(folder);
      }
    };
    visit(root);
  }
  if (found.length === 0)
    throw new InputError(
      `${paths.join(", ")} ${paths.length > 1 ? "hold" : "holds"} no run`,
      { paths },
      "a run directory has a run.json; eigensam train and eigensam sde make them",
    );
  return found;
}

/** The folders in one, also behind links; why they cannot be read where they cannot. */
function foldersIn(path: string): string[] | string {
  try {
    if (!statSync(path).isDirectory()) return [];
    const order = new Intl.Collator("en", { numeric: true });
    return readdirSync(path)
      .filter((name) => !name.startsWith("."))
      .sort(order.compare)
      .map((name) => join(path, name))
      .filter((inner) => statSync(inner, { throwIfNoEntry: false })?.isDirectory());
  } catch (error) {
    if (isSystemError(error)) return `cannot be read: ${reasonOf(error).why}`;
    throw error;
  }
}
