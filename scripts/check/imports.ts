import { isBuiltin } from "node:module";
import { posix } from "node:path";

/** Folders of src/, top to bottom: a file imports from its own folder or from a folder further down this list. */
export const LAYERS: readonly string[] = [
  "cli",
  "api",
  "experiments",
  "sweep",
  "report",
  "curvature",
  "train",
  "run",
  "data",
  "runtime",
  "sde",
  "spectrum",
  "optim",
  "models",
  "nn",
  "onnx",
  "graph",
  "search",
  "util",
];

/** Folders that stay symbolic: neither Node built-ins nor an engine may be imported there. */
export const PURE = new Set(["graph", "nn", "models", "optim", "spectrum", "sde", "onnx", "search"]);

/** Path from the repository root, with forward slashes ("src/graph/ops.ts") → source text. */
export type Sources = ReadonlyMap<string, string>;

// One alternative per token that could hide an import; only the first two capture a specifier.
const TOKEN = new RegExp(
  [
    /(?<![.\w$])from\s*["']([^"'\n]+)["']/, // import … from "x", export … from "x"
    /(?<![.\w$])(?:import|require)\s*\(?\s*["']([^"'\n]+)["']/, // import "x", import("x"), require("x")
    /\/\/.*|\/\*[\s\S]*?\*\//, // comments
    /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\[\s\S]|[^`\\])*`/, // strings
  ]
    .map((part) => part.source)
    .join("|"),
  "g",
);

/** Every module specifier in a source text, type-only ones included, in order and without repeats. */
export function importsOf(source: string): string[] {
  const found = new Set<string>();
  for (const [, from, called] of source.matchAll(TOKEN)) {
    const specifier = from ?? called;
    if (specifier !== undefined) found.add(specifier);
  }
  return [...found];
}

/** Broken direction rules, one message each: file, import, rule. */
export function directionErrors(sources: Sources): string[] {
  const errors: string[] = [];
  for (const [file, text] of sources) {
    const own = folderOf(file);
    if (own !== "" && !isLayer(own)) errors.push(`${file}: folder "${own}" has no place in the layer list`);
    for (const specifier of importsOf(text)) {
      const broken = brokenRule(file, own, specifier);
      if (broken !== undefined) errors.push(`${file}: imports "${specifier}": ${broken}`);
    }
  }
  return errors;
}

/** Import cycles between files, each as a chain "a.ts -> b.ts -> a.ts". */
export function cycleErrors(sources: Sources): string[] {
  const errors: string[] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): void => {
    const start = path.indexOf(file);
    if (start >= 0) {
      errors.push(`import cycle: ${[...path.slice(start), file].join(" -> ")}`);
      return;
    }
    if (done.has(file)) return;
    path.push(file);
    for (const specifier of importsOf(sources.get(file)!)) {
      const target = resolve(file, specifier);
      if (target !== undefined && sources.has(target)) visit(target);
    }
    path.pop();
    done.add(file);
  };
  for (const file of sources.keys()) visit(file);
  return errors;
}

function brokenRule(file: string, own: string, specifier: string): string | undefined {
  const target = resolve(file, specifier);
  if (target === undefined) {
    if (specifier === "eigensam" || specifier.startsWith("eigensam/")) return "src never imports its own package";
    const impure = isBuiltin(specifier) || specifier.startsWith("onnxruntime-");
    return PURE.has(own) && impure ? `"${own}" is pure core, without Node built-ins and onnxruntime-*` : undefined;
  }
  if (!target.startsWith("src/")) return "files outside src/ are not importable from src/";
  if (own === "") return undefined;
  const folder = folderOf(target);
  if (folder === "") return "entry points (files directly in src/) are imported only by each other";
  if (folder === own || !isLayer(own)) return undefined;
  if (!isLayer(folder)) return `folder "${folder}" has no place in the layer list`;
  return rank(folder) < rank(own) ? `imports point downward, and "${folder}" lies above "${own}"` : undefined;
}

const resolve = (file: string, specifier: string): string | undefined =>
  specifier.startsWith(".") ? posix.join(posix.dirname(file), specifier) : undefined;

/** "src/graph/ops/conv.ts" → "graph"; "src/index.ts" → "". */
const folderOf = (file: string): string => {
  const parts = file.split("/");
  return parts.length > 2 ? parts[1]! : "";
};

const rank = (folder: string): number => LAYERS.indexOf(folder);
const isLayer = (folder: string): boolean => rank(folder) >= 0;
