import { posix } from "node:path";

/** What an entry point exports: its name, where it is declared, what it is, its docstring and the first sentence of that. */
export interface Export {
  readonly name: string;
  readonly file: string;
  readonly kind: string;
  readonly doc: string;
  readonly summary: string;
}

const LIST = /^export (type )?\{([^}]*)\} from "([^"]+)";/gm;
const ALL = /^export \* from "([^"]+)";/gm;
const DECLARED =
  /(?:\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n)?^export (?:async )?(const|function|class|interface|type) (\w+)/gm;

/**
 * Everything that a module exports, in its order, re-exports included; `read` gives a source text by its path from the root. What
 * comes whole from another entry point (`export * from "./index.ts"`) is left out.
 */
export function exportsOf(file: string, read: (path: string) => string): Export[] {
  const text = read(file);
  const from = (specifier: string) => exportsOf(posix.join(posix.dirname(file), specifier), read);
  const listed = [...text.matchAll(LIST)].flatMap(([, , names, specifier]) => {
    const all = new Map(from(specifier!).map((each) => [each.name, each]));
    return names!
      .split(",")
      .map((name) => name.trim().replace(/^type /, ""))
      .filter((name) => name !== "")
      .map((name) => {
        const [original, shown = original] = name.split(" as ");
        const found = all.get(original!);
        if (found === undefined)
          throw new Error(`${file} exports ${name} from ${specifier}, which does not declare it`);
        return { ...found, name: shown! };
      });
  });
  const whole = [...text.matchAll(ALL)].filter(([, specifier]) => specifier !== "./index.ts");
  return [...listed, ...whole.flatMap(([, specifier]) => from(specifier!)), ...declaredIn(file, text)];
}

/** The exported declarations of a module; of overloads the first, which carries the docstring. */
function declaredIn(file: string, text: string): Export[] {
  const found = new Map<string, Export>();
  for (const [, comment = "", kind, name] of text.matchAll(DECLARED))
    if (!found.has(name!)) {
      const doc = comment.replaceAll(/^\s*\* ?/gm, "").trim();
      found.set(name!, { name: name!, file, kind: kind!, doc, summary: firstSentence(doc) });
    }
  return [...found.values()];
}

/** Up to the first full stop or colon before another sentence; a block tag ends it as well. */
function firstSentence(doc: string): string {
  const text = doc
    .replace(/^@[\s\S]*/m, "")
    .trim()
    .replaceAll(/\s+/g, " ");
  const end = text.search(/[.:](?= [A-Z`]|$)/);
  return end < 0 ? text : text.slice(0, end);
}
