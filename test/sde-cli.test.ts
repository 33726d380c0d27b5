import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { SdeCost } from "../src/experiments/sde/cost.ts";
import type { SdeEvent } from "../src/experiments/sde/events.ts";
import { runFiles } from "../src/run/files.ts";
import { settingsToml } from "../src/run/settings.ts";
import { eigensam, jsonLines } from "./support/cli.ts";
import { smallRun, smallSde } from "./support/sde-runs.ts";

const out = join(mkdtempSync(join(tmpdir(), "eigensam-sde-cli-")), "out");
const command = ["sde", ...smallSde, "sde.steps=200", "method.rho=0.1", "--seeds", "1,2", "--out", out, "--json"];

/** How the runs that began stand. */
const statuses = () =>
  [1, 2]
    .map((seed) => runFiles(join(out, `rho0.1-seed${seed}`)).record)
    .filter((record) => existsSync(record))
    .map((record) => JSON.parse(readFileSync(record, "utf8")).status);
const MEASURED = /"event":"measure".*"event":"measure"/s;

it("eigensam sde saves at Ctrl-C and when it is killed, resumes with the same command, and reports every seed", {
  timeout: 120_000,
}, async () => {
  const stopped = await eigensam(command, { kill: { signal: "SIGINT", after: MEASURED, group: true } });
  expect(stopped.status, stopped.stderr).toBe(130);
  expect(stopped.stderr).toContain("stopped with 0 of 2 runs done; run the same command again to resume");
  expect(new Set(statuses())).toEqual(new Set(["stopped"]));

  const killed = await eigensam(command, { kill: { signal: "SIGKILL", after: MEASURED } });
  expect(killed.signal).toBe("SIGKILL");
  await expect.poll(() => new Set(statuses()), { timeout: 30_000 }).toEqual(new Set(["stopped"]));

  const again = await eigensam(command);
  expect(again.status, again.stderr).toBe(0);
  const events = jsonLines<SdeEvent | { event: "report"; figures: string[] }>(again.stdout);
  const resumedAt = events.flatMap((event) => (event.event === "start" ? [event.step] : []));
  expect(Math.min(...resumedAt)).toBeGreaterThan(0);
  const done = events.filter((event) => event.event === "done");
  expect(done.map(({ seed }) => seed).sort()).toEqual([1, 2]);
  const html = join(out, "report.html");
  expect(events.at(-1)).toMatchObject({ event: "report", html, seconds: expect.any(Number) });
  for (const path of [html, join(out, "figures/sde-rho0.1.png")]) expect(existsSync(path), path).toBe(true);
});

it("eigensam sde --dry-run says what its runs cost, and writes nothing; eigensam paper sde reports the runs there are", async () => {
  const folder = join(out, "..", "dry");
  const [dry, report] = await Promise.all([
    eigensam(["sde", ...smallSde, "method.rho=[0.1,0.2]", "--seeds", "1..3", "--out", folder, "--dry-run", "--json"]),
    eigensam(["paper", "sde", "--out", out, "--report", "--json"]),
  ]);
  expect(dry.status, dry.stderr).toBe(0);
  const [line] = jsonLines<{ runs: number; run: SdeCost; totalSeconds: number; diskMiB: number }>(dry.stdout);
  expect(line).toMatchObject({ event: "dry-run", runs: 6 });
  const { stepSeconds, measureSeconds, totalSeconds, diskMiB } = line!.run;
  const { sde, measure } = smallRun();
  const looks = 1 + Math.ceil(sde.steps / measure.every);
  expect(totalSeconds).toBeCloseTo(sde.steps * stepSeconds + looks * measureSeconds, 10);
  expect([line!.totalSeconds, line!.diskMiB]).toEqual([
    expect.closeTo(6 * totalSeconds, 10),
    expect.closeTo(6 * diskMiB, 10),
  ]);
  expect(Math.min(stepSeconds, measureSeconds, diskMiB)).toBeGreaterThan(0);
  expect(existsSync(folder)).toBe(false);

  expect(report.status, report.stderr).toBe(0);
  expect(jsonLines<{ html: string }>(report.stdout)[0]!.html).toBe(join(out, "report.html"));
});

// Ten seconds: `EIGENSAM_SLOW=1 npm test`, as CI does. The pool behind it has tests of its own.
const slow = it.runIf(process.env.EIGENSAM_SLOW === "1");
slow("a run that fails costs only itself, and the next command retries it", { timeout: 120_000 }, async () => {
  const folder = join(out, "..", "failing");
  const args = ["sde", ...smallSde, "method.rho=0.1", "--seeds", "1,2", "--out", folder];
  const bad = runFiles(join(folder, "rho0.1-seed1"));
  mkdirSync(join(folder, "rho0.1-seed1"), { recursive: true });
  writeFileSync(bad.config, settingsToml(smallRun()));
  const damaged = join(bad.checkpoints, "step-00000000.safetensors");
  mkdirSync(bad.checkpoints);
  writeFileSync(damaged, "damaged");
  const fast = await eigensam([...args, "--jobs", "1", "--fail-fast"]);
  expect(fast.status, fast.stderr).toBe(1);
  expect(fast.stderr).toContain("stopped with 0 of 2 runs done");

  const { status, stderr } = await eigensam(args);
  expect(status, stderr).toBe(1);
  expect(stderr).toMatch(/✗ rho0\.1-seed1 failed after .*step-00000000\.safetensors/);
  expect(stderr).toContain("rho0.1-seed2 started");
  expect(stderr).toMatch(/✓ rho0\.1-seed2/);
  expect(stderr).toContain("1 of 2 runs failed: rho0.1-seed1; run the same command again to retry them");
  rmSync(damaged);
  const again = await eigensam(args);
  expect(again.stderr).toContain("1 complete already");
  expect(again.status, again.stderr).toBe(0);
});

it("eigensam sde ends with 2 for settings it does not know", { timeout: 60_000 }, async () => {
  const { status, stdout, stderr } = await eigensam(["sde", "sde.etta=1", "--out", join(out, "never")]);
  expect(stderr).toContain("did you mean sde.eta?");
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
});
