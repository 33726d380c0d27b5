import type { Hyper } from "../../optim/hyper.ts";
import type { Method } from "../../optim/method.ts";
import type { Problem } from "../../train/session.ts";
import { groupBy } from "../../util/group-by.ts";
import { duration, grouped } from "../format.ts";
import { registry } from "../plugins.ts";
import { emit, say, type Column, tableHead, tableRow } from "../ui.ts";
import { type Cost, costOf } from "./cost.ts";
import type { PlannedRun } from "./plan.ts";

const columns: readonly Column[] = [
  { title: "run", width: 32, align: "left" },
  { title: "runs", width: 5, align: "right" },
  { title: "one step", width: 10, align: "right" },
  { title: "one run", width: 9, align: "right" },
  { title: "all", width: 9, align: "right" },
];

/**
 * Says how many runs a plan has, how long they take and what they leave on disk, by a few steps of each kind of run; `times` as
 * many where the runs stand for others alike. Nothing is written.
 */
export async function sayCosts(
  runs: readonly PlannedRun[],
  problem: (run: PlannedRun) => Promise<Problem>,
  { jobs, json, times = 1 }: { readonly jobs: number; readonly json: boolean; readonly times?: number },
): Promise<void> {
  const measured: { readonly name: string; readonly runs: number; readonly cost: Cost }[] = [];
  if (!json) console.log(tableHead(columns));
  for (const alike of groupBy(runs, ({ config }) => kindOf(config)).values()) {
    const [first, count] = [alike[0]!, alike.length];
    const { name } = first;
    const cost = await costOf(await problem(first));
    measured.push({ name, runs: count, cost });
    if (!json)
      console.log(
        tableRow(columns, [
          count === 1 ? name : `${name}, …`,
          String(count),
          `${(1000 * cost.stepSeconds).toFixed(1)} ms`,
          duration(cost.totalSeconds),
          duration(count * cost.totalSeconds),
        ]),
      );
  }
  const sumOf = (of: (cost: Cost) => number) =>
    times * measured.reduce((sum, kind) => sum + kind.runs * of(kind.cost), 0);
  const [totalSeconds, diskMiB] = [sumOf((cost) => cost.totalSeconds), sumOf((cost) => cost.diskMiB)];
  if (json) {
    const kindsOf = measured.map(({ cost, ...kind }) => ({ ...kind, ...cost }));
    emit({ event: "dry-run", runs: runs.map(({ name }) => name), kinds: kindsOf, times, jobs, totalSeconds, diskMiB });
    return;
  }
  const disk = diskMiB < 1024 ? `${grouped(Math.ceil(diskMiB))} MiB` : `${(diskMiB / 1024).toFixed(1)} GiB`;
  console.log(
    `${grouped(times * runs.length)} runs; ${duration(totalSeconds)} one after the other, without scoring; ${disk} on disk`,
  );
  if (jobs > 1)
    say(`${jobs} at a time share the cores: between ${duration(totalSeconds / jobs)} and ${duration(totalSeconds)}`);
}

/** Whether a method's numbers choose what its steps compute. */
const choosesWork = (method: Method | undefined): boolean =>
  method?.between !== undefined || Object.values<Hyper>(method?.hyper ?? {}).some(({ fixed }) => fixed);

/** What decides how long a run takes; seed, learning rate and radius do not, where they choose no step's rule. */
function kindOf({ device, threads, model, data, method, optimizer, train, probe }: PlannedRun["config"]): string {
  const { name, solver, every, iterations, warmup, from, m } = method;
  const { epochs, loss, accumulate, memoryLimit } = train;
  return JSON.stringify([
    [device, threads, model, data],
    [name, solver, every, iterations, warmup, from, m, accumulate, memoryLimit],
    choosesWork(registry().methods[name]) ? method : undefined,
    (method.align ?? 0) > 0,
    [optimizer.name, epochs, loss, probe],
  ]);
}
