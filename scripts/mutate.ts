import { spawnSync } from "node:child_process";
import { judges } from "./mutation/judges.ts";

/**
 * `npm run mutate [-- FOLDER|FILE…]`: makes every small change of the code there, one at a time, and lists those that no test notices.
 * Without arguments it goes through all folders that have judges. Options are Stryker's: --ignoreStatic leaves out what runs when a module
 * is loaded, which takes most of the time.
 */
const options = process.argv.slice(2).filter((arg) => arg.startsWith("--"));
const given = process.argv.slice(2).filter((arg) => !arg.startsWith("--"));
for (const path of given.length > 0 ? given : Object.keys(judges)) {
  const folder = Object.keys(judges)
    .filter((name) => path.startsWith(name))
    .sort((a, b) => b.length - a.length)[0];
  if (folder === undefined)
    throw new Error(`${path}: no tests judge it; scripts/mutation/judges.ts has ${Object.keys(judges)}`);
  const pattern = path.endsWith(".ts") ? path : `${path}/**/*.ts`;
  const { status } = spawnSync("npx", ["--no", "stryker", "run", "--mutate", pattern, ...options], {
    stdio: "inherit",
    env: { ...process.env, EIGENSAM_JUDGES: judges[folder]!.join(",") },
  });
  if (status !== 0) process.exitCode = 1;
}
