import { defineConfig } from "vitest/config";
import { judges } from "./scripts/mutation/judges.ts";
import { aliases } from "./vitest.config.ts";

const names = process.env.EIGENSAM_JUDGES?.split(",") ?? Object.values(judges).flat();

/** For Stryker: the tests that scripts/mutate.ts chooses. */
export default defineConfig({
  // A worker that is built would not have the mutants.
  resolve: { alias: aliases.filter(({ replacement }) => !replacement.includes("built-worker")) },
  test: { include: names.map((name) => `test/${name}.test.ts`), environment: "node", testTimeout: 60_000 },
});
