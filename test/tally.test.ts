import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { NamedMethod } from "../src/api/options.ts";
import { train } from "../src/api/train.ts";
import { tallyLines } from "../src/cli/train/tally.ts";
import type { TrainEvent } from "../src/train/events.ts";
import type { Tally } from "../src/train/records.ts";
import { trainRun } from "../src/train/run-dir.ts";
import { NOTHING, wasteOf } from "../src/train/tally.ts";
import { resolveConfig } from "../src/train/settings.ts";
import { oneLinear, regressionData } from "./support/linear.ts";

const folder = mkdtempSync(join(tmpdir(), "eigensam-tally-"));
afterAll(() => rmSync(folder, { recursive: true }));

const options = (method: NamedMethod, more: object = {}) => ({
  ...{ data: { train: regressionData(12, 2) }, model: oneLinear, batch: 4, epochs: 4, threads: 1, method },
  ...more,
});
type Options = Parameters<typeof train>[0];

async function eventsOf(own: Options): Promise<TrainEvent[]> {
  const events: TrainEvent[] = [];
  await (await train(own, { onEvent: (event) => events.push(event) }).done).release();
  return events;
}
const tallyIn = (events: readonly TrainEvent[]) =>
  events.flatMap((event) => (event.event === "done" ? [event.tally!] : []))[0]!;

describe("what a run did is counted", () => {
  it.each<[string, NamedMethod, object, Partial<Tally>]>([
    ["SGD", { name: "sgd" }, {}, { rules: { before: 0, warmup: 0, own: 12, between: 0 }, alongV: 0, estimates: 0 }],
    ["late LookSAM", { name: "look-sam", k: 4, from: 1 }, {}, { rules: { before: 3, warmup: 0, own: 3, between: 6 } }],
    [
      "Eigen-SAM after USAM",
      { name: "eigen-sam", solver: "lanczos", every: 5, warmup: "usam" },
      { clip: 1e9 },
      { rules: { before: 0, warmup: 5, own: 7, between: 0 }, alongV: 7, estimates: 2, good: 2, clipped: 0 },
    ],
    ["SAM, clipped throughout", { name: "sam" }, { clip: 1e-9 }, { clipped: 12 }],
  ])("%s", async (_, method, more, expected) => {
    const events = await eventsOf(options(method, more));
    const tally = tallyIn(events);
    expect(tally).toMatchObject(expected);
    const cosines = events.flatMap((event) => (event.event === "step" ? [event.metrics.cosEpsV ?? 0] : []));
    expect(tally.alignment).toBeCloseTo(
      cosines.reduce((sum, x) => sum + x, 0),
      12,
    );
    for (const seconds of [tally.seconds.steps, tally.seconds.data]) expect(seconds).toBeGreaterThan(0);
    expect(tally.seconds.estimates > 0).toBe(tally.estimates > 0);
  });

  it("the same where it was stopped and resumed, and in its record", async () => {
    const own = options({ name: "eigen-sam", solver: "lanczos", every: 5 }, { probe: 4 });
    const whole = tallyIn(await eventsOf(own));
    const dir = join(folder, "pieces");
    for (let done = false; !done; ) {
      const controller = new AbortController();
      let steps = 0;
      const onEvent = ({ event }: TrainEvent) => {
        if (event === "step" && ++steps === 3) controller.abort();
      };
      const trained = await train({ ...own, dir }, { onEvent, signal: controller.signal }).done;
      done = trained.status === "done";
      await trained.release();
    }
    const { seconds: _, ...counted } = whole;
    const { tally } = trainRun.readRecord(dir)?.result ?? {};
    expect(tally).toMatchObject(counted);
    expect(tally!.seconds.probe).toBeGreaterThan(0);
  });

  it("and shown as a table", () => {
    const tally: Tally = {
      ...{ rules: { before: 1000, warmup: 0, own: 100, between: 400 }, alongV: 80, alignment: 20, clipped: 30 },
      ...{ estimates: 12, good: 11, seconds: { steps: 60, estimates: 10, probe: 0, data: 5 } },
    };
    expect(tallyLines({ tally, seconds: 100 })).toEqual([
      "steps     1,500: 1,000 of the base optimizer, 100 of the method, 400 between them",
      "v         12 estimates, 11 good; 80 of 1,500 steps along v̂, mean |cos(ε, v̂)| 0.25",
      "clipped   30 of 1,500 steps",
      "time      60.0% steps, 10.0% estimates of v, 5.0% waiting for data, 25.0% scoring, saving and the rest",
    ]);
    const least = { ...NOTHING, rules: { ...NOTHING.rules, own: 3 }, seconds: { ...NOTHING.seconds, steps: 1 } };
    expect(tallyLines({ tally: least, seconds: 1 })).toEqual([
      "steps     3: 3 of the method",
      "time      100.0% steps",
    ]);
    expect(tallyLines({ tally: { ...least, estimates: 1 }, seconds: 1 })[1]).toBe(
      "v         1 estimate, 0 good; 0 of 3 steps along v̂",
    );
    expect(tallyLines({ tally: undefined, seconds: 1 })).toEqual([]);
  });
});

describe("what was in vain is said", () => {
  const config = resolveConfig("", ["method.name=eigen-sam", "train.clip=0.5"]);
  const of = (more: Partial<Tally>, readsV = true) => wasteOf({ ...NOTHING, ...more }, config, readsV).join("; ");
  const rules = { before: 1, warmup: 1, own: 2, between: 0 };

  it("at the end of a run", async () => {
    const events = await eventsOf(options({ name: "sam" }, { clip: 1e-9 }));
    const at = events.findIndex(({ event }) => event === "warning");
    expect(events[at]).toMatchObject({
      step: 12,
      epoch: 4,
      message: expect.stringContaining("all 12 steps were shortened"),
    });
    expect(events[at + 1]).toMatchObject({ event: "done" });
  });

  it("of steps that were all shortened, and of a v that was never good", () => {
    expect(of({ rules, alongV: 1, clipped: 3 })).toBe("");
    expect(of({ rules, alongV: 1, clipped: 4 })).toContain("all 4 steps were shortened to train.clip=0.5");
    expect(of({ rules })).toContain("no step of eigen-sam perturbed along v");
    expect(of({ rules }, false)).toBe("");
    expect(of({ rules: { ...rules, warmup: 0, own: 0 } })).toBe("");
    expect(of({})).toBe("");
  });

  it("of a radius of 0, before the run", async () => {
    const notes = async (rho: number) =>
      (await eventsOf(options({ name: "sam", rho }))).flatMap((event) => (event.event === "start" ? event.notes : []));
    expect(await notes(0.1)).toEqual([]);
    expect(await notes(0)).toEqual([
      "method.rho is 0: sam perturbs nothing, and its steps are the base optimizer's at the cost of its own",
    ]);
  });
});
