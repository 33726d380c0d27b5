import { colors } from "./colors.ts";
import { duration, percent } from "./format.ts";
import type { PoolEvent, Task } from "./pool.ts";
import { eta, type Field, onTerminal, progressLines, sayFields } from "./progress-line.ts";
import { say, status } from "./ui.ts";

export interface PoolViewArgs<T extends Task, E> {
  /** How many runs were complete before. */
  readonly complete: number;
  /** How many there are, those included. */
  readonly total: number;
  /** The longest name of a run. */
  readonly width?: number;
  /** What else to say of all runs, beside their number. */
  readonly note?: () => readonly Field[];
  /** What a child printed. */
  readonly onLine?: (line: E, task: T) => void;
  /** Asks the runs to save and stop. */
  readonly stop?: AbortSignal;
  /** What to say of a run that is done, from all that it printed. */
  readonly result?: (lines: readonly E[], task: T) => readonly string[];
}

interface Running<E> {
  /** The part that is done: now, and when this process began. */
  now: number;
  first: number | undefined;
  readonly begun: number;
  readonly lines: E[];
}

const TICK_MS = 200;

/**
 * Tells a person how the runs go: on a terminal one line for all and one per running child, which renew themselves, and lines that
 * stay as runs end; elsewhere a line as a run begins or ends, and every half minute.
 */
export function poolView<T extends Task, E>({
  complete,
  total,
  width = 0,
  note,
  onLine,
  stop,
  result,
}: PoolViewArgs<T, E>) {
  const begun = performance.now();
  const running = new Map<T, Running<E>>();
  const of = (task: T): Running<E> =>
    running.get(task) ?? { now: 0, first: undefined, begun: performance.now(), lines: [] };
  let [done, failed, made] = [complete, 0, 0];

  const summary = (): Field[] => {
    const parts = [...running.values()];
    const here = parts.reduce((sum, { now }) => sum + now, 0);
    const gained = made + parts.reduce((sum, { now, first }) => sum + now - (first ?? 0), 0);
    return [
      { rank: 9, text: `${done}/${total} runs` },
      { rank: 5, text: `${running.size} running` },
      ...(failed > 0 ? [{ rank: 8, text: colors.red(`${failed} failed`) }] : []),
      { rank: 6, fraction: (done + here) / total },
      { rank: 10, text: percent((done + here) / total, 0) },
      ...(note?.() ?? []),
      ...eta((performance.now() - begun) / 1000, gained, total - done - failed - here, 7),
    ];
  };
  const child = ([{ name }, { now, first, begun: since }]: [T, Running<E>]): Field[] => [
    { rank: 8, text: `  ${name.padEnd(width)}` },
    { rank: 1, fraction: now },
    { rank: 9, text: stop?.aborted ? "saving" : first === undefined ? "starting" : percent(now, 0).padStart(4) },
    ...(first === undefined ? [] : eta((performance.now() - since) / 1000, now - first, 1 - now, 3)),
  ];
  const plain = (): Field[] => [
    ...summary(),
    ...[...running].map(([{ name }, { now }], i) => ({ rank: 4 - i, text: `${name} ${percent(now, 0)}` })),
  ];
  const draw = progressLines(plain);
  const redraw = () => draw(() => [summary(), ...[...running].map(child)]);
  const timer = setInterval(redraw, TICK_MS);

  const show = (event: PoolEvent<T, E>): void => {
    const { task } = event;
    const state = of(task);
    switch (event.kind) {
      case "begin":
        running.set(task, state);
        if (onTerminal()) redraw();
        else say(`${task.name} started`);
        return;
      case "progress":
        state.now = event.done / event.of;
        state.first ??= state.now;
        return;
      case "line":
        state.lines.push(event.line);
        onLine?.(event.line, task);
        return;
      case "end": {
        running.delete(task);
        const time = colors.dim(duration(event.seconds));
        if (event.outcome === "done") {
          done++;
          made += 1 - (state.first ?? 0);
          const texts = [
            `${colors.green("✓")} ${task.name.padEnd(width)}`,
            ...(result?.(state.lines, task) ?? []),
            time,
          ];
          sayFields(texts.map((text, i) => ({ rank: -i, text })));
        } else if (event.outcome === "failed") {
          failed++;
          say(`${colors.red("✗")} ${task.name} failed after ${time}: ${event.error}`);
        } else say(`${colors.yellow("■")} ${task.name} stopped`);
      }
    }
  };
  return {
    show,
    end: () => {
      clearInterval(timer);
      status();
    },
  };
}
