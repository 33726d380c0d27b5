import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { gridOf } from "../src/cli/find/finders.ts";
import { eigensam, jsonLines } from "./support/cli.ts";

it("values that are tried have the same factor between them, ends included", () => {
  expect(gridOf(0.0125, 0.8, 7)).toEqual([0.0125, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8]);
  expect(gridOf(1, 10, 3)).toEqual([1, 3.16, 10]);
});

describe("finding a setting", () => {
  const folder = mkdtempSync(join(tmpdir(), "eigensam-find-"));
  const small = ["model.name=mlp", "model.width=4", "data.examples=300", "data.batch=50"];

  it.each([
    [["rho-find", ...small, "method.name=sgd"], "method sgd has no method.rho"],
    [["rho-find", ...small, "data.validation=0"], "data.validation is 0"],
    [["lr-find", ...small, "--from", "1", "--to", "0.1"], "values from 1 to 0.1"],
  ])("is refused where it makes no sense: %j", async (args, text) => {
    const { status, stderr } = await eigensam([...args, "--out", join(folder, "never")]);
    expect(stderr).toContain(text);
    expect(status).not.toBe(0);
  });

  it.runIf(process.env.EIGENSAM_SLOW === "1")(
    "prints the curve, what diverges, what to take and why; again it makes nothing",
    { timeout: 120_000 },
    async () => {
      const args = ["lr-find", ...small, "method.name=sgd", "train.epochs=2", "--seeds", "1,2"];
      const range = ["--from", "0.01", "--to", "1e30", "--points", "3", "--out", join(folder, "rates")];
      const { status, stdout, stderr } = await eigensam([...args, ...range]);
      expect(status, stderr).toBe(0);
      expect(stdout).toMatch(/^ +0\.01 {2}\d\.\d+ ± \d.*━\n1\.00e\+14 {2}the loss is NaN at step/m);
      expect(stdout).toContain(
        "optimizer.lr=0.01: the lowest mean validation loss of 2 runs of 2 epochs on 200 examples is at η = 0.01",
      );
      expect(stderr).toContain("4 runs failed");

      const again = await eigensam([...args, ...range, "--json"]);
      const lines = jsonLines(again.stdout).filter(({ event }) => event === "point" || event === "found");
      expect(lines).toHaveLength(4);
      expect(lines[0]).toMatchObject({ value: 0.01, n: 2, error: null });
      expect(lines.at(-1)).toMatchObject({ event: "found", key: "optimizer.lr", value: 0.01, how: "edge", best: 0.01 });
    },
  );
});
