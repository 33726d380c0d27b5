import type { Reporter, TestModule } from "vitest/node";

/**
 * Ends the output with `N passed, N failed` alone on the last line (`, N skipped` only when there are some).
 * A file that fails without a failing test (it threw on import, or in a hook) counts as one failure, and so does every
 * unhandled error. Printed when the process exits: nothing vitest writes on its way out can come after it.
 */
export default class CiReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[], reason: string): void {
    const states = modules.map((module) => [...module.children.allTests()].map((test) => test.result().state));
    const count = (state: string): number => states.flat().filter((s) => s === state).length;
    const broken = modules.filter((module, i) => module.state() === "failed" && !states[i]!.includes("failed")).length;
    const failed = count("failed") + broken + unhandledErrors.length || (reason === "passed" ? 0 : 1);
    const skipped = count("skipped") + count("pending");
    const line = `${count("passed")} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
    process.once("exit", () => process.stdout.write(`${line}\n`));
  }
}
