const BLOCK = /^<!-- (example|table): (\S+) -->\n[\s\S]*?^<!-- end -->$/gm;

/** What fills the blocks of a page. */
export interface Fillings {
  /** The text of a program in examples/, by file name; an error where it does not exist. */
  readonly example: (name: string) => string;
  /** A generated table, by name. */
  readonly table: (name: string) => string;
}

/** The page with every block `<!-- example: file.ts -->` or `<!-- table: name -->` … `<!-- end -->` filled anew. */
export function filled(text: string, { example, table }: Fillings): string {
  const blocks = text.match(BLOCK)?.length ?? 0;
  const ends = text.match(/^<!-- end -->$/gm)?.length ?? 0;
  const begun = text.match(/^<!-- (example|table): \S+ -->$/gm)?.length ?? 0;
  if (begun !== blocks || ends !== blocks) throw new Error(`${begun} blocks begin and ${ends} end`);
  return text.replace(BLOCK, (_, kind: "example" | "table", name: string) => {
    const inside = kind === "example" ? `\`\`\`ts\n${example(name).trimEnd()}\n\`\`\`` : table(name);
    return `<!-- ${kind}: ${name} -->\n\n${inside}\n\n<!-- end -->`;
  });
}

/** The programs that a page shows, by file name. */
export const examplesIn = (text: string): string[] =>
  [...text.matchAll(BLOCK)].flatMap(([, kind, name]) => (kind === "example" ? [name!] : []));
