import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { SdeEvent } from "../src/experiments/sde/events.ts";
import { runFiles } from "../src/run/files.ts";
import { eigensam, jsonLines } from "./support/cli.ts";
import { smallSde } from "./support/sde-runs.ts";

const out = join(mkdtempSync(join(tmpdir(), "eigensam-sde-cli-")), "out");
const command = ["sde", ...smallSde, "sde.steps=100", "method.rho=0.1", "--seeds", "1,2", "--out", out, "--json"];

it("eigensam sde saves at Ctrl-C, goes on with the same command, and reports every seed", {
  timeout: 120_000,
}, async () => {
  const first = await eigensam(command, { kill: { signal: "SIGINT", after: /"event":"measure".*"step":10,/ } });
  expect(first.status, first.stderr).toBe(130);
  expect(first.stderr).toContain("the same command goes on");
  const records = [1, 2].map((seed) => runFiles(join(out, `rho0.1-seed${seed}`)).record).filter(existsSync);
  expect(records.length).toBeGreaterThan(0);
  for (const record of records) expect(JSON.parse(readFileSync(record, "utf8")).status).toBe("stopped");

  const again = await eigensam(command);
  expect(again.status, again.stderr).toBe(0);
  const events = jsonLines<SdeEvent | { event: "report"; figures: string[] }>(again.stdout);
  const done = events.filter((event) => event.event === "done");
  expect(done.map(({ seed }) => seed).sort()).toEqual([1, 2]);
  const html = join(out, "report.html");
  expect(events.at(-1)).toMatchObject({ event: "report", html, seconds: expect.any(Number) });
  for (const path of [html, join(out, "figures/sde-rho0.1.png")]) expect(existsSync(path), path).toBe(true);
});

it("eigensam sde ends with 2 for settings it does not know", { timeout: 60_000 }, async () => {
  const { status, stdout, stderr } = await eigensam(["sde", "sde.etta=1", "--out", join(out, "never")]);
  expect(stderr).toContain("did you mean sde.eta?");
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
});
