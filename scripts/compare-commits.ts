/**
 * Times the same step on two commits, alternating, and gives the ratio of their times with a 95 % interval:
 *
 *   npx tsx scripts/compare-commits.ts HEAD~5 HEAD --model cnn6 --width 32 --batch 128 --method grad,sam,hvp --rounds 30
 *
 * Each commit is checked out and built in a folder of its own, with this clone's node_modules. The interval is Student's t over the
 * logarithms of the ratios of neighbouring steps; below 1, the second commit is faster.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { takeTurns } from "../src/cli/bench/measure.ts";
import { type Side, startOurs } from "../src/cli/bench/sides.ts";
import type { Ready } from "../src/cli/bench/worker.ts";
import { inPackage } from "../src/util/package.ts";
import { summarize } from "../src/util/statistics.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: "string", default: "resnet18" },
    method: { type: "string", default: "grad,sam,hvp" },
    width: { type: "string", default: "64" },
    batch: { type: "string", default: "128" },
    size: { type: "string", default: "32" },
    channels: { type: "string", default: "3" },
    threads: { type: "string", default: "2" },
    rounds: { type: "string", default: "20" },
  },
});
const [before, after] = positionals;
if (before === undefined || after === undefined || positionals.length > 2) {
  console.error("compare-commits: give two commits, as in HEAD~5 HEAD");
  process.exit(2);
}

const git = (...args: string[]) => execFileSync("git", args, { cwd: inPackage("."), encoding: "utf8" }).trim();
const folder = mkdtempSync(join(tmpdir(), "eigensam-commits-"));

function built(commit: string, name: string): string {
  const tree = join(folder, name);
  git("worktree", "add", "--quiet", "--detach", tree, commit);
  symlinkSync(inPackage("node_modules"), join(tree, "node_modules"));
  execFileSync("npx", ["tsc", "-p", "tsconfig.build.json", "--noCheck"], { cwd: tree, stdio: "inherit" });
  return tree;
}

const trees = [before, after].map((commit, i) => built(commit, i === 0 ? "before" : "after"));
try {
  const { model, method: methods, rounds, ...numbers } = values;
  const sizes = Object.fromEntries(Object.entries(numbers).map(([key, value]) => [key, Number(value)])) as {
    readonly [K in keyof typeof numbers]: number;
  };
  for (const method of methods.split(",")) {
    const options = { ...sizes, model, method, classes: 10, convolution: "winograd", profile: false } as const;
    const sides: Side<Ready>[] = [];
    try {
      for (const tree of trees)
        sides.push(await startOurs(options, pathToFileURL(join(tree, "dist/cli/bench/worker.js"))));
      const [first, second] = await takeTurns(sides, Number(rounds));
      const logs = second!.map(({ seconds }, i) => Math.log(seconds / first![i]!.seconds));
      const { mean, ci95 = Number.NaN } = summarize(logs);
      const [ratio, from, to] = [mean, mean - ci95, mean + ci95].map((log) => Math.exp(log).toFixed(3));
      const peaks = [first!, second!].map((steps) => Math.max(...steps.map(({ peakMiB }) => peakMiB)));
      console.log(`${model} ${method}: ${ratio}× [${from}, ${to}] of the time, ${peaks.join(" → ")} MiB`);
    } finally {
      await Promise.all(sides.map(({ child }) => child.stop()));
    }
  }
} finally {
  for (const tree of trees) git("worktree", "remove", "--force", tree);
  rmSync(folder, { recursive: true });
}
