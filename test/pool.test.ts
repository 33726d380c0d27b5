import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { type PoolArgs, type PoolEvent, runPool, type Task } from "../src/cli/pool.ts";
import { inPackage } from "../src/util/package.ts";

type Line = { readonly pid: number } | { readonly step: number };
type Event = PoolEvent<Task, Line>;

const main = pathToFileURL(inPackage("test/support/fake-child.mjs"));

/** Children of these kinds in a pool; all events, and how each child ended. */
async function poolOf(kinds: readonly string[], options: Partial<PoolArgs<Task, Line>> = {}) {
  const folder = mkdtempSync(join(tmpdir(), "eigensam-pool-"));
  const tasks = kinds.map((kind, i) => ({ name: `${i}-${kind}`, args: [kind, folder] }));
  const events: Event[] = [];
  const result = await runPool<Task, Line>(tasks, {
    jobs: kinds.length,
    failFast: false,
    stop: new AbortController().signal,
    main,
    ...options,
    onEvent: (event) => {
      events.push(event);
      options.onEvent?.(event);
    },
  });
  const pids = events.flatMap((event) => (event.kind === "line" && "pid" in event.line ? [event.line.pid] : []));
  const saved = readdirSync(folder).filter((name) => name.endsWith(".saved"));
  const names = Object.fromEntries(
    Object.entries(result).map(([outcome, ended]) => [outcome, ended.map((t) => t.name)]),
  );
  return { folder, events, names, pids, saved };
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
const endOf = (events: readonly Event[], name: string) =>
  events.find((event) => event.kind === "end" && event.task.name === name);

describe("a pool of four", () => {
  it("loses only the child that fails, and reports it at once", async () => {
    const { events, names, pids } = await poolOf(["outlasts", "fails", "outlasts", "outlasts"]);
    expect(names).toEqual({ done: expect.any(Array), failed: ["1-fails"], stopped: [] });
    expect(names.done!.toSorted()).toEqual(["0-outlasts", "2-outlasts", "3-outlasts"]);
    const ends = events.filter(({ kind }) => kind === "end");
    expect(ends[0]).toMatchObject({ outcome: "failed", error: "the loss is NaN at step 3\n  hint: lower the rate" });
    expect(pids).toHaveLength(4);
    expect(pids.filter(isAlive)).toEqual([]);
  });

  it("delivers what each child says in order", async () => {
    const { events } = await poolOf(["works", "works", "works", "works"], { jobs: 2 });
    for (const { task } of events.filter(({ kind }) => kind === "begin")) {
      const own = events.filter((event) => event.task === task);
      expect(own.flatMap((event) => (event.kind === "line" && "step" in event.line ? [event.line.step] : []))).toEqual([
        1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
      ]);
      expect(own.flatMap((event) => (event.kind === "progress" ? [event.done] : []))).toHaveLength(10);
      expect([own[0]!.kind, own.at(-1)!.kind]).toEqual(["begin", "end"]);
    }
    let [running, most] = [0, 0];
    for (const { kind } of events) {
      running += kind === "begin" ? 1 : kind === "end" ? -1 : 0;
      most = Math.max(most, running);
    }
    expect(most).toBe(2);
  });

  it("with failFast asks the others to save and stop, and begins no more", async () => {
    const { names, pids, saved } = await poolOf(["works-on", "works-on", "fails-late", "works-on", "works"], {
      jobs: 4,
      failFast: true,
    });
    expect(names).toMatchObject({ done: [], failed: ["2-fails-late"] });
    expect(names.stopped!.toSorted()).toEqual(["0-works-on", "1-works-on", "3-works-on", "4-works"]);
    expect(saved).toHaveLength(3);
    expect(pids).toHaveLength(4);
    expect(pids.filter(isAlive)).toEqual([]);
  });

  it("saves every child when asked to stop, and asks each once", async () => {
    const stop = new AbortController();
    let working = 0;
    const { folder, names, pids, saved } = await poolOf(["works-on", "works-on", "works-on", "works-on", "works"], {
      jobs: 4,
      stop: stop.signal,
      onEvent: (event) => {
        if (event.kind === "line" && "step" in event.line && event.line.step === 2 && ++working === 4) stop.abort();
      },
    });
    expect(names).toEqual({ done: [], failed: [], stopped: expect.any(Array) });
    expect(names.stopped).toHaveLength(5);
    expect(saved).toHaveLength(4);
    for (const pid of pids) expect(readFileSync(join(folder, `${pid}.asked`), "utf8")).toBe("SIGINT\n");
    expect(pids.filter(isAlive)).toEqual([]);
  });
});

it.each<[string, string]>([
  ["dies", "killed by SIGKILL (out of memory?): it printed nothing"],
  ["babbles", "it printed what is not JSON: not JSON"],
  ["crashes", "line 14\n  line 15\n  line 16\n  line 17\n  line 18\n  line 19"],
])("says why a child failed that %s", async (kind, error) => {
  const { events, names } = await poolOf([kind, "works"]);
  expect(names).toMatchObject({ done: ["1-works"], failed: [`0-${kind}`] });
  expect(endOf(events, `0-${kind}`)).toMatchObject({ outcome: "failed", error });
});
