import { afterEach, describe, expect, it, vi } from "vitest";
import { poolView } from "../src/cli/pool-view.ts";
import { say } from "../src/cli/ui.ts";
import { cutTo, folded, widthOf } from "../src/cli/width.ts";
import { fakeTerminal } from "./support/terminal.ts";

const tasks = ["sgd-seed1", "eigen-sam-seed1", "sam-seed1"].map((name) => ({ name, args: [] }));
const [first, second] = tasks as [(typeof tasks)[0], (typeof tasks)[0]];

let terminal: ReturnType<typeof fakeTerminal>;
afterEach(() => terminal.restore());

describe("the view of a pool on a terminal", () => {
  const begin = (columns: number, height?: number) => {
    terminal = fakeTerminal(columns, height);
    const stop = new AbortController();
    const width = Math.max(...tasks.map(({ name }) => name.length));
    const view = poolView({ complete: 0, total: tasks.length, width, stop: stop.signal });
    say("3 runs in runs/demo");
    view.show({ kind: "begin", task: first });
    view.show({ kind: "begin", task: second });
    return { view, stop };
  };

  it("has a line per running child from the first second", () => {
    const { view } = begin(80);
    vi.advanceTimersByTime(300);
    const [head, all, ...children] = terminal.screen();
    expect(head).toBe("3 runs in runs/demo");
    expect(all).toMatch(/^0\/3 runs {2}2 running {2}─+ {2}0%$/);
    expect(children).toEqual([
      expect.stringMatching(/^ {2}sgd-seed1 {8}─{24} {2}starting$/),
      expect.stringMatching(/^ {2}eigen-sam-seed1 {2}─{24} {2}starting$/),
    ]);
    view.end();
    expect(terminal.screen()).toEqual(["3 runs in runs/demo"]);
  });

  it.each([40, 80, 120])("never wraps at %d columns, and renews its lines in place", (columns) => {
    const { view } = begin(columns);
    for (let done = 0; done <= 50; done++) {
      view.show({ kind: "progress", task: first, done, of: 100 });
      vi.advanceTimersByTime(1000);
    }
    const screen = terminal.screen();
    expect(screen).toHaveLength(4);
    for (const line of screen) expect(line.length).toBeLessThanOrEqual(columns - 3);
    expect(screen[1]).toContain("17%");
    expect(screen[2]).toMatch(/^ {2}sgd-seed1 .*50%/);
    if (columns >= 80) expect(screen[2]).toContain("ETA 51.0s");
    view.end();
  });

  it("leaves no doubled lines behind ^C, and says that runs are saving", () => {
    const { view, stop } = begin(80);
    view.show({ kind: "progress", task: first, done: 1, of: 2 });
    vi.advanceTimersByTime(300);
    terminal.echo("^C");
    say("asking the runs to save and stop; press Ctrl-C again to stop at once");
    stop.abort();
    vi.advanceTimersByTime(300);
    const screen = terminal.screen();
    expect(screen).toHaveLength(5);
    expect(screen[1]).toMatch(/^asking the runs/);
    expect(screen[3]).toMatch(/sgd-seed1 .* saving/);
    view.show({ kind: "end", task: first, outcome: "stopped", seconds: 1 });
    view.show({ kind: "end", task: second, outcome: "stopped", seconds: 1 });
    view.end();
    expect(terminal.screen().slice(2)).toEqual(["■ sgd-seed1 stopped", "■ eigen-sam-seed1 stopped"]);
  });

  it("takes no more lines than the terminal has", () => {
    const { view } = begin(80, 2);
    vi.advanceTimersByTime(300);
    expect(terminal.screen()).toHaveLength(2);
    view.end();
  });
});

describe("the width of a text", () => {
  it("break texts at spaces into lines that fit", () => {
    expect(folded("time      34 % steps, 5 % probe", 20, 10)).toEqual([
      "time      34 %",
      "          steps, 5 %",
      "          probe",
    ]);
    expect(folded("time      34 % steps", Number.POSITIVE_INFINITY, 10)).toEqual(["time      34 % steps"]);
    expect(folded("unbreakable word", 5, 2)).toEqual(["unbreakable", "  word"]);
  });

  it("counts wide characters twice, marks and colours not at all", () => {
    terminal = fakeTerminal(80);
    expect(["λ₁", "数据", "한국", "é", "😀", "\x1b[31mred\x1b[0m", ""].map(widthOf)).toEqual([2, 4, 4, 1, 2, 3, 0]);
    expect([0, 1, 2, 3, 4].map((columns) => cutTo("数a据", columns))).toEqual(["", "", "数", "数a", "数a"]);
  });
});
