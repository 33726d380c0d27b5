import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Both src/util and dist/util lie two folders below the package. */
const root = new URL("../../", import.meta.url);

export const inPackage = (path: string): string => fileURLToPath(new URL(path, root));

export const packageVersion: string = JSON.parse(readFileSync(inPackage("package.json"), "utf8")).version;

/** Node arguments that run one of our modules as the present process runs: through tsx in a clone, plain when compiled. */
export const nodeArguments = (module: URL): string[] => [...process.execArgv, fileURLToPath(module)];

/** The extension of our modules here: .ts in a clone, .js when compiled. */
export const moduleExtension: string = import.meta.url.endsWith(".ts") ? ".ts" : ".js";
