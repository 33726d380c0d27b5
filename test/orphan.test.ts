import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { runFiles } from "../src/run/files.ts";
import { eigensam } from "./support/cli.ts";
import { smallSde } from "./support/sde-runs.ts";

it("a child whose parent died while it was starting ends at once", { timeout: 60_000 }, async () => {
  const { status } = await eigensam(["doctor"], { env: { EIGENSAM_CHILD: "1" } });
  expect(status).toBe(143);
});

const slow = process.env.EIGENSAM_SLOW === "1";
it.runIf(slow)("a run of a pool that is killed saves and stops", { timeout: 120_000 }, async () => {
  const out = join(mkdtempSync(join(tmpdir(), "eigensam-orphan-")), "sde");
  const { signal } = await eigensam(["sde", "--out", out, "--json", ...smallSde, "method.rho=0.1", "sde.steps=40000"], {
    kill: { signal: "SIGKILL", after: /"event":"measure"/ },
  });
  expect(signal).toBe("SIGKILL");
  const { record } = runFiles(join(out, "rho0.1-seed1"));
  await expect.poll(() => JSON.parse(readFileSync(record, "utf8")).status, { timeout: 60_000 }).toBe("stopped");
});
