import { moduleExtension } from "./package.ts";

/** The module to start a worker thread with, to run `module`: in a clone one that makes TypeScript readable first. */
export function workerEntry(module: URL): URL {
  if (moduleExtension !== ".ts") return module;
  const tsx = import.meta.resolve("tsx/esm/api");
  const code = `import { register } from ${JSON.stringify(tsx)}; register(); await import(${JSON.stringify(module.href)});`;
  return new URL(`data:text/javascript,${encodeURIComponent(code)}`);
}
