import { inPackage } from "../../src/util/package.ts";
import { pathToFileURL } from "node:url";

/** Takes the place of workerEntry in tests (vitest.config.ts): a thread starts from what is built, where tsx would take half a second. */
export const workerEntry = (module: URL): URL =>
  pathToFileURL(module.pathname.replace(inPackage("src"), inPackage("dist")).replace(/\.ts$/, ".js"));
