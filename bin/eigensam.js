#!/usr/bin/env node
import { existsSync } from "node:fs";

const main = new URL("../dist/cli/main.js", import.meta.url);
if (existsSync(main)) await import(main.href);
else {
  console.error("eigensam: this clone is not built");
  console.error("  hint: npm run build; or run the sources: npm run -s eigensam -- --help");
  process.exitCode = 1;
}
