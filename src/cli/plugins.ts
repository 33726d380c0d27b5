import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { builtIn, type Declared, extended, isDeclared, type Registry } from "../train/registry.ts";
import { ConfigError } from "../util/errors.ts";
import { pluginFilesIn } from "./plugin-files.ts";

let known: Registry = builtIn;
let files: readonly string[] = [];

/** Everything that settings can name in this process: what is built in, and what plugins added. */
export const registry = (): Registry => known;

/** The --plugin options of this process, for the processes that it starts. */
export const pluginArguments = (): string[] => files.flatMap((file) => ["--plugin", file]);

/**
 * Imports the files that arguments name with --plugin, and adds what they declare to the registry. Commands are declared after
 * this, because their options list the names of the registry.
 * @throws ConfigError where a file is missing, fails to load or declares nothing, or a name is taken
 */
export async function loadPlugins(args: readonly string[]): Promise<void> {
  const given = pluginFilesIn(args);
  if (given.includes("")) throw new ConfigError("--plugin is empty", {}, "give the path of a module");
  files = [...new Set(given.map((file) => resolve(file)))];
  for (const file of files) {
    const declared = await declaredIn(file);
    known = reported(file, () => extended(known, declared));
  }
}

async function declaredIn(file: string): Promise<readonly Declared[]> {
  if (!existsSync(file))
    throw new ConfigError(
      `--plugin ${file}: there is no such file`,
      { file },
      "the path is relative to the current folder",
    );
  const exported: Readonly<Record<string, unknown>> = await import(pathToFileURL(file).href).catch((error) =>
    reported(file, () => {
      throw error;
    }),
  );
  const declared = [...new Set(Object.values(exported))].filter(isDeclared);
  if (declared.length === 0)
    throw new ConfigError(
      `--plugin ${file} exports nothing that is declared`,
      { file, exports: Object.keys(exported) },
      "export what defineMethod, defineModel, defineDataset, defineLoss or defineMetric returns",
    );
  return declared;
}

/** Does the work; what it throws becomes a ConfigError that names the plugin. */
function reported<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const unreadable = (error as NodeJS.ErrnoException).code === "ERR_UNKNOWN_FILE_EXTENSION";
    throw new ConfigError(
      `--plugin ${file}: ${reason}`,
      { file },
      unreadable ? "Node ≥ 22.18 reads TypeScript; give a .js or .mjs file" : undefined,
    );
  }
}
