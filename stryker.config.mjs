/** Mutation testing: `npm run mutate -- src/optim`. docs/notes/mutation.md has the scores. */
export default {
  packageManager: "npm",
  // Stryker would rewrite it with an API that TypeScript 7 has not; the sandbox needs no other.
  tsconfigFile: "none",
  plugins: ["@stryker-mutator/vitest-runner", "./scripts/mutation/ignore-texts.mjs"],
  testRunner: "vitest",
  vitest: { configFile: "vitest.mutate.config.ts", related: false },
  coverageAnalysis: "perTest",
  ignorers: ["texts"],
  ignorePatterns: ["dist", "runs", "docs", "bench"],
  // The graph of a network takes seconds to compile, and more on a busy machine.
  timeoutMS: 20_000,
  timeoutFactor: 3,
  dryRunTimeoutMinutes: 20,
  concurrency: 1,
  incremental: true,
  incrementalFile: "node_modules/.cache/stryker.json",
  reporters: ["clear-text", "json"],
  jsonReporter: { fileName: "runs/mutation.json" },
  clearTextReporter: { allowColor: false, reportTests: false, logTests: false },
  tempDirName: ".stryker-tmp",
  allowEmpty: true,
  thresholds: { high: 100, low: 90, break: null },
};
