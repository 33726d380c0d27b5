/** What an example did: the error that ended it, or each printed line beside what its comment expects. */
export interface Outcome {
  readonly error?: string;
  readonly printed?: readonly { readonly got: string; readonly expected: string }[];
}

const PROGRAM = /@example\n```ts\n([\s\S]*?)\n```/;
const LIKE = /\bexample as \{@link (\w+)\}/;

/**
 * The program of a docstring, "" where there is none. `example as {@link other}` stands for the other's program with this name in its
 * place; it prints other numbers, so what the comments expect is left out.
 */
export function exampleOf(name: string, docs: ReadonlyMap<string, string>): string {
  const doc = docs.get(name) ?? "";
  const own = PROGRAM.exec(doc)?.[1];
  if (own !== undefined) return own;
  const like = LIKE.exec(doc)?.[1];
  if (like === undefined) return "";
  return exampleOf(like, docs)
    .replaceAll(new RegExp(`\\b${like}\\b`, "g"), name)
    .replaceAll(/ \/\/ .*$/gm, " // …");
}

const PRINTED = /console\.log\((.*)\); \/\/ (.+)$/gm;

/** A module that runs programs one after another, each in a function of its own, and prints their outcomes as JSON. */
export function moduleOf(
  examples: readonly { readonly name: string; readonly code: string }[],
  { values, types }: { readonly values: readonly string[]; readonly types: readonly string[] },
): string {
  const functions = examples.map(({ name, code }) => {
    const body = code.replaceAll(PRINTED, (_, shown, expected) => `print(${JSON.stringify(expected)}, ${shown});`);
    return `examples[${JSON.stringify(name)}] = async (print) => {\n${body}\n};`;
  });
  return [
    `import { ${[...values, ...types.map((name) => `type ${name}`)].join(", ")} } from "eigensam/node";`,
    "type Print = (expected: string, ...values: readonly unknown[]) => void;",
    "const examples: Record<string, (print: Print) => Promise<void>> = {};",
    ...functions,
    RUN,
  ].join("\n");
}

/** Numbers are shown to four decimals, arrays of either kind in brackets. "…" expects anything. */
const RUN = `
const shown = (value: unknown): string =>
  typeof value === "number"
    ? String(Number(value.toFixed(4)))
    : value instanceof Object && "length" in value
      ? \`[\${Array.from(value as ArrayLike<unknown>, shown).join(", ")}]\`
      : String(value);
const outcomes: Record<string, object> = {};
for (const [name, example] of Object.entries(examples)) {
  const printed: object[] = [];
  const print: Print = (expected, ...values) => {
    const got = values.map(shown).join(" ");
    printed.push({ expected: expected === "…" ? got : expected, got });
  };
  const error = await example(print).then(
    () => undefined,
    (cause) => String(cause?.stack ?? cause),
  );
  outcomes[name] = { error, printed };
}
console.log(JSON.stringify(outcomes));
process.exit();
`;
