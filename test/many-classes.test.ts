import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";
import { input } from "../src/graph/ops/source.ts";
import { topological } from "../src/graph/walk.ts";
import { sizeOf } from "../src/util/shape.ts";
import { losses } from "../src/nn/losses.ts";
import { grad } from "../src/graph/grad.ts";
import { inPackage } from "../src/util/package.ts";

it("no tensor of loss, accuracy or gradient is as large as the square of the classes", () => {
  const [rows, classes] = [4, 1000];
  const logits = input("logits", [rows, classes]);
  const labels = input("labels", [rows], "i32");
  const { mean, each, correct, predict } = losses["cross-entropy"];
  const loss = mean(logits, labels, { labelSmoothing: 0.1 });
  const outputs = [grad(loss, logits), each(logits, labels), correct(logits, labels), predict(logits)];
  expect(Math.max(...topological(outputs).map(({ shape }) => sizeOf(shape)))).toBe(rows * classes);
});

/** Peak memory in MiB of a process that trains on so many classes, scores and measures curvature. */
function peakOf(classes: number): number {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [
      "--conditions=eigensam-source",
      "--import",
      import.meta.resolve("tsx"),
      inPackage("test/support/many-classes.ts"),
      String(classes),
    ],
    { cwd: inPackage("."), encoding: "utf8" },
  );
  expect(stderr).toBe("");
  const { peak, accuracy, eigenvalue } = JSON.parse(stdout);
  expect(accuracy).toBeGreaterThanOrEqual(0);
  expect(Number.isFinite(eigenvalue)).toBe(true);
  return peak;
}

const [classes, most] = process.env.EIGENSAM_SLOW === "1" ? [20_000, 1000] : [2000, 500];

it(`${classes} classes train, score and give an eigenvalue in less than ${most} MB`, { timeout: 300_000 }, () => {
  expect(peakOf(classes)).toBeLessThan(most);
});
