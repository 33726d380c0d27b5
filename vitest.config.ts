import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import manifest from "./package.json" with { type: "json" };

const root = fileURLToPath(new URL(".", import.meta.url));

/** `eigensam` and `eigensam/node` are the sources here; Vite does not resolve a package's own name. */
const ownName = Object.entries(manifest.exports).flatMap(([path, target]) =>
  typeof target === "string"
    ? []
    : [{ find: new RegExp(`^eigensam${path.slice(1)}$`), replacement: root + target["eigensam-source"].slice(2) }],
);

/** How tests find modules: two that take most of the time of a short training have a faster form, which says what it does. */
export const aliases = [
  ...ownName,
  { find: /^\.\/node-session\.ts$/, replacement: `${root}test/support/shared-sessions.ts` },
  { find: /^\.\.\/util\/worker-entry\.ts$/, replacement: `${root}test/support/built-worker.ts` },
];

/**
 * Whole programs, killed and resumed, packed and installed, in many processes, and every example of the docs: more than half of the time of all tests.
 * `EIGENSAM_SLOW=1 npm test` has them, as CI does, and `npx vitest run FILE` has the one that it names.
 */
const slow =
  `another-user api-run api-sweep broadcast-run claim curvature-cli curvature-stop doc-examples examples experiments extending iqm kill many-classes
  memory-limit name-data package pool report resume-twice run-data runs-cli sde-cli sde-report search-best split-vectors stop sweep-cli sweep-kubernetes
  sweep-slurm train-cli train-plan`
    .split(/\s+/)
    .map((name) => `test/${name}.test.ts`)
    .filter((file) => !process.argv.includes(file));

// Python's onnx.checker is the one test that needs more than npm: `EIGENSAM_ONNX_CHECKER=1 npm test`, as CI does.
const exclude = [
  ...(process.env.EIGENSAM_ONNX_CHECKER === "1" ? [] : ["test/onnx-checker.test.ts"]),
  ...(process.env.EIGENSAM_SLOW === "1" ? [] : slow),
];

export default defineConfig({
  resolve: { alias: aliases },
  test: {
    include: ["test/**/*.test.ts"],
    exclude,
    environment: "node",
    globalSetup: ["test/support/build.ts"],
    pool: "forks",
    // The modules hold no state, so the files of a worker share them: loading them anew for each took half a minute.
    isolate: false,
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ["default", "./scripts/ci-reporter.ts"],
  },
});
