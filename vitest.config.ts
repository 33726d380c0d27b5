import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Python's onnx.checker is the one test that needs more than npm: `EIGENSAM_ONNX_CHECKER=1 npm test`, as CI does.
    exclude: process.env.EIGENSAM_ONNX_CHECKER === "1" ? [] : ["test/onnx-checker.test.ts"],
    environment: "node",
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 60_000,
    reporters: ["default", "./scripts/ci-reporter.ts"],
  },
});
