/**
 * `npm run torture -- [--events N] [--minutes N] [--seed S] [--run I] [--jobs N] [--in FOLDER]`: runs of every kind, each made once undisturbed and
 * once with events at random moments. After each event the run goes on, and at the end both must be the same (torture/compare.ts).
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { runFiles } from "../src/run/files.ts";
import { type Operation, operations, randomOf } from "../test/support/power.ts";
import { differences, sameBytes } from "./torture/compare.ts";
import { events, isDone, type Scene, undisturbed } from "./torture/events.ts";
import { isPool, type Plan, planOf, runKinds } from "./torture/plans.ts";
import { integer, pick } from "./torture/random.ts";

const number = { type: "string" } as const;
const { values } = parseArgs({
  options: { events: number, minutes: number, seed: number, run: number, jobs: number, in: number },
});
const [wanted, minutes] = [
  Number(values.events ?? Number.POSITIVE_INFINITY),
  Number(values.minutes ?? Number.POSITIVE_INFINITY),
];
const seed = Number(values.seed ?? 1);
const base = mkdtempSync(join(values.in ?? tmpdir(), "eigensam-torture-"));

/** More chances for what is quick and reaches much. */
const weights: Readonly<Record<(typeof runKinds)[number], number>> = {
  train: 4,
  plugin: 5,
  sde: 4,
  "sde pool": 1,
  study: 2,
  sweep: 1,
};
const kinds = runKinds.flatMap((kind) => Array.from({ length: weights[kind] }, () => kind));

interface Tally {
  readonly events: Map<string, number>;
  readonly runs: Map<string, number>;
  readonly losses: string[];
  late: number;
}

const tally: Tally = { events: new Map(), runs: new Map(), losses: [], late: 0 };
const count = (map: Map<string, number>, key: string) => map.set(key, (map.get(key) ?? 0) + 1);
const total = (map: Map<string, number>) => [...map.values()].reduce((sum, n) => sum + n, 0);

/** Makes one run twice. What is lost, if anything. */
async function torture(index: number): Promise<string | undefined> {
  const random = randomOf(seed * 100_003 + index);
  const plan = planOf(pick(random, kinds), random);
  const [folder, whole, hurt] = [join(base, String(index)), join(base, `${index}/whole`), join(base, `${index}/hurt`)];
  for (const path of [whole, hurt]) mkdirSync(path, { recursive: true });
  writeFileSync(join(folder, "plan.txt"), `${plan.kind} ${plan.label}\n`);
  count(tally.runs, plan.kind);

  const report = `${whole}.report`;
  const began = performance.now();
  const first = await undisturbed(plan.command(whole, false), { faults: { root: whole, fault: "none", report } });
  if (first.code !== 0) return `${plan.label}: the undisturbed run fails: ${first.stderr}`;
  const duration = Math.max(50, Math.min(performance.now() - began - 700, 4000));
  const counts = countsIn(report);
  const history: string[] = [];
  const runs = plan.runs.map((run) => join(hurt, run));
  const begun = () => existsSync(runFiles(runs[0]!).config);
  for (let left = integer(random, 1, 4); left > 0 && !runs.every(isDone); left--) {
    const name = pick(random, Object.keys(events));
    // Of two commands for many runs, one of them fails at those of the other, or at once.
    if (name === "two at once" && isPool(plan.kind)) continue;
    const scene: Scene = {
      random,
      folder: hurt,
      runs,
      begun: begun(),
      args: plan.command(hurt, begun()),
      counts,
      duration,
    };
    const { hit, what, wrong } = await events[name]!(scene);
    history.push(`${name} (${what}${hit ? "" : ", late"})`);
    if (hit) count(tally.events, name);
    else tally.late++;
    if (wrong) return `${describe(plan, history)}: ${wrong}`;
  }
  if (!runs.every(isDone) || isPool(plan.kind)) {
    const last = await undisturbed(plan.command(hurt, begun()));
    if (last.code !== 0) return `${describe(plan, history)}: cannot go on: ${last.stderr}`;
  }
  const lost = plan.runs.flatMap((run) => differences(join(whole, run), join(hurt, run)));
  if (plan.kind === "sde pool") lost.push(...differentTables(join(whole, "out/tables"), join(hurt, "out/tables")));
  return lost.length === 0 ? undefined : `${describe(plan, history)}: differs in ${lost.join("; ")}`;
}

const describe = ({ kind, label }: Plan, history: readonly string[]) =>
  `${kind} (${label}) after ${history.join(", ")}`;

/** Operations of all processes that report to a file. */
function countsIn(report: string): Record<Operation, number> {
  const counts = Object.fromEntries(operations.map((op) => [op, 0])) as Record<Operation, number>;
  for (const line of readFileSync(report, "utf8").trim().split("\n"))
    for (const op of operations) counts[op] = Math.max(counts[op], JSON.parse(line).counts?.[op] ?? 0);
  return counts;
}

/** Names of tables that only one folder has, or that differ. Runs with nothing to compare have none. */
function differentTables(whole: string, hurt: string): string[] {
  const [mine, theirs] = [whole, hurt].map((folder) => (existsSync(folder) ? readdirSync(folder) : [])) as [
    string[],
    string[],
  ];
  return [...new Set([...mine, ...theirs])].filter(
    (name) => !(mine.includes(name) && theirs.includes(name) && sameBytes(join(whole, name), join(hurt, name))),
  );
}

const show = (map: Map<string, number>) =>
  [...map]
    .sort()
    .map(([name, n]) => `  ${String(n).padStart(4)}  ${name}`)
    .join("\n");

const end = performance.now() + minutes * 60_000;
const only = values.run === undefined ? undefined : Number(values.run);
let next = only ?? 0;

async function work(): Promise<void> {
  while (performance.now() < end && total(tally.events) < wanted) {
    const index = next++;
    const loss = await torture(index);
    if (loss === undefined) rmSync(join(base, String(index)), { recursive: true });
    else {
      tally.losses.push(loss);
      const kept = join(base, String(index));
      console.log(`LOST  ${loss}\n      again: npm run torture -- --seed ${seed} --run ${index}; kept: ${kept}`);
    }
    if (only !== undefined) return;
  }
}
await Promise.all(Array.from({ length: only === undefined ? Number(values.jobs ?? 1) : 1 }, work));
console.log(
  `seed ${seed}: ${total(tally.events)} events in ${total(tally.runs)} runs, ${tally.losses.length} losses; ${tally.late} came too late and do not count`,
);
console.log(`events\n${show(tally.events)}\nruns\n${show(tally.runs)}`);
if (tally.losses.length > 0) process.exitCode = 1;
else rmSync(base, { recursive: true, force: true });
