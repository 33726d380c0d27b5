/** `npm run docs`: writes docs/reference, and the programs and tables that guide and README show. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pages, root } from "./docs/pages.ts";

for (const [path, text] of pages()) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}
