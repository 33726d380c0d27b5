import { mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { holderOf } from "../src/run/claim.ts";
import { runFiles } from "../src/run/files.ts";
import { rng } from "../src/util/rng.ts";
import { eigensam, jsonLines, type Outcome } from "./support/cli.ts";

interface RunLine {
  readonly name: string;
  readonly path: string;
  readonly state: string;
  readonly error: string | null;
  readonly value: number | null;
  readonly seed: number;
  readonly point: Readonly<Record<string, unknown>>;
}

const SLOW = process.env.EIGENSAM_SLOW === "1";
const folder = mkdtempSync(join(tmpdir(), "eigensam-sweeps-"));
const file = (name: string, toml: string): string => {
  const path = join(folder, name);
  writeFileSync(path, toml);
  return path;
};
const sweep = (...args: string[]): Promise<Outcome> => eigensam(["sweep", ...args], { cwd: folder });
const statusOf = async (out: string) => jsonLines<RunLine>((await sweep("status", out, "--json")).stdout);

const small = (epochs: number) => `
  model.name = "mlp"
  model.width = 4
  data.name = "fashion-mini"
  data.examples = 500
  train.epochs = ${epochs}
`;

/** Runs one by one; the last diverges. */
const withOneThatFails = (count: number) =>
  [
    `[settings]${small(12)}`,
    ...Array.from({ length: count }, (_, i) => {
      const lr = i === count - 1 ? 1e30 : 0.01 * (i + 1);
      return `[[runs]]\nmethod.name = "${i % 2 === 0 ? "sgd" : "sam"}"\noptimizer.lr = ${lr}`;
    }),
  ].join("\n");

/** Kills `count` of the processes that train runs of a sweep, each a moment after it is seen. */
async function killSome(names: readonly string[], out: string, count: number, ended: () => boolean): Promise<string[]> {
  const random = rng(3, "sweep kills");
  const killed: string[] = [];
  while (killed.length < count && !ended()) {
    for (const name of names.filter((each) => !killed.includes(each))) {
      const holder = await holderOf(join(out, name));
      if (holder?.pid === undefined || random.uniform() < 0.5 || killed.length >= count) continue;
      await sleep(150 * random.uniform());
      try {
        process.kill(holder.pid, "SIGKILL");
        killed.push(name);
      } catch (error) {
        // It ended meanwhile.
        expect((error as NodeJS.ErrnoException).code).toBe("ESRCH");
      }
    }
    await sleep(10);
  }
  return killed;
}

describe("eigensam sweep", () => {
  const [count, kills] = [24, 3];

  it.runIf(SLOW)(
    "ends, after kills, with the bytes of a sweep that nothing happened to; what fails costs itself, and nothing is made twice",
    {
      timeout: 300_000,
    },
    async () => {
      const path = file("kills.toml", withOneThatFails(count));
      const [whole, broken] = [join(folder, "whole"), join(folder, "broken")];
      const undisturbed = await sweep("run", path, "--out", whole);
      expect(undisturbed.status).toBe(1);
      expect(undisturbed.stderr).toMatch(/sam-lr1e\+30-\S+ failed after .*: the loss is NaN at step/);
      expect(undisturbed.stdout).toContain(`${count} runs: ${count - 1} done, 1 failed`);
      const page = readFileSync(join(whole, "report/report.html"), "utf8");
      const missing = [...page.matchAll(/<li>([^<]*)<\/li>/g)].map(([, text]) => text);
      expect(missing).toContainEqual(expect.stringMatching(/^1 run, made by eigensam sweep run \S+whole$/));
      expect(missing).toContainEqual(expect.stringMatching(/^sam-lr1e\+30-[\w-]+: failed: .*the loss is NaN/));
      const lines = await statusOf(whole);
      expect(lines.filter(({ state }) => state === "failed")).toEqual([
        expect.objectContaining({
          error: expect.stringContaining("the loss is NaN"),
          point: { "method.name": "sam", "optimizer.lr": 1e30 },
        }),
      ]);
      const names = lines.filter(({ state }) => state === "done").map(({ name }) => name);

      let over = false;
      const running = sweep("run", path, "--out", broken).finally(() => {
        over = true;
      });
      const killed = await killSome(names, broken, kills, () => over);
      const first = await running;
      expect(killed).toHaveLength(kills);
      expect(first.status).toBe(1);
      expect(first.stderr).toMatch(/failed after .*killed by SIGKILL/);
      const doneOf = (all: readonly RunLine[]) => all.filter(({ state }) => state === "done").map(({ name }) => name);
      const before = doneOf(await statusOf(broken));
      expect(before.toSorted()).toEqual(names.filter((name) => !killed.includes(name)).toSorted());
      const touched = (name: string) => statSync(runFiles(join(broken, name)).metrics).mtimeMs;
      const times = before.map(touched);

      const second = await sweep("run", path, "--out", broken);
      expect(second.stderr).toContain(`${count} runs in ${broken}, 2 at a time, ${before.length} complete already`);
      expect(second.stderr).toMatch(/1 of \d+ runs failed: sam-lr1e\+30/);
      expect(doneOf(await statusOf(broken)).toSorted()).toEqual(names.toSorted());
      expect(before.map(touched)).toEqual(times);
      for (const name of names)
        for (const part of ["metrics", "weights", "best"] as const) {
          const [a, b] = [broken, whole].map((out) => readFileSync(runFiles(join(out, name))[part]));
          expect(a!.equals(b!), `${part} of ${name}`).toBe(true);
        }
    },
  );

  it.runIf(SLOW)("searches, stops bad trials early, stops at Ctrl-C and goes on", { timeout: 120_000 }, async () => {
    const path = file(
      "search.toml",
      `seeds = "1..2"
      measure = "val.loss"
      [settings]${small(4)}
      [search]
      by = "asha"
      trials = 4
      eta = 2
      [vary]
      optimizer.lr = { min = 0.001, max = 0.5, log = true }`,
    );
    const out = join(folder, "search");
    const stopped = await eigensam(["sweep", "run", path, "--out", out], {
      cwd: folder,
      kill: { signal: "SIGINT", after: /✓/ },
    });
    expect(stopped.status).toBe(130);
    expect(stopped.stderr).toContain("run the same command again to resume");
    const changed = await sweep("run", path, "--out", out, "--search", "tpe");
    expect(changed.stderr).toContain("holds another plan: changed: search");
    const ended = await sweep("run", path, "--out", out);
    expect(ended.status).toBe(0);
    const lines = await statusOf(out);
    expect(lines).toHaveLength(8);
    const done = lines.filter(({ state }) => state === "done");
    expect(done.length).toBeGreaterThanOrEqual(2);
    expect(done.length).toBeLessThan(8);
    expect(lines.every(({ state }) => state === "done" || state === "stopped")).toBe(true);
    // A trial has both seeds or neither.
    for (const { seed, point } of done)
      expect(done.some((other) => other.seed !== seed && JSON.stringify(other.point) === JSON.stringify(point))).toBe(
        true,
      );
    expect(ended.stdout).toContain("validation loss, mean over seeds ± 95 % interval");
  });

  it("makes one run by number, id or name, once, and refuses two at work on one sweep", {
    timeout: 120_000,
  }, async () => {
    const path = file("tasks.toml", `seeds = "1..2"\n[settings]${small(1)}\n[vary]\noptimizer.lr = [0.1, 0.2]`);
    const out = join(folder, "tasks");
    const planned = await sweep("plan", path, "--out", out, "--json");
    expect(jsonLines<{ runs: string[]; diskMiB: number }>(planned.stdout)[0]).toMatchObject({ times: 1 });
    expect((await sweep("task", "0", "--out", out)).stderr).toContain("holds no sweep");
    const running = sweep("run", path, "--out", out, "-j", "1");
    while ((await holderOf(out)) === undefined) await sleep(5);
    const other = await sweep("run", path, "--out", out);
    expect(other.status).toBe(2);
    expect(other.stderr).toMatch(/process \d+ is at work on/);
    await running;
    const lines = await statusOf(out);
    expect(lines.map(({ state }) => state)).toEqual(["done", "done", "done", "done"]);
    const again = await sweep("task", "3", "--out", out);
    expect([again.status, again.stderr.trim()]).toEqual([0, `${lines[3]!.name} is complete`]);
    expect((await sweep("task", "4", "--out", out)).stderr).toContain("give a number below 4");
    expect((await sweep("cancel", out)).stderr).toContain("nobody is at work");
  });
});
