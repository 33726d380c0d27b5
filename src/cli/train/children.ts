import { spawn } from "node:child_process";
import { colors } from "../colors.ts";
import type { TrainConfig } from "../../train/config.ts";
import type { TrainEvent } from "../../train/events.ts";
import { trainRun } from "../../train/run-dir.ts";
import { EigensamError } from "../../util/errors.ts";
import { moduleExtension, nodeArguments } from "../../util/package.ts";
import { computeEnvironment } from "../allocator.ts";
import { track } from "../children.ts";
import { duration, percent, short } from "../format.ts";
import { say } from "../ui.ts";

export interface PlannedChild {
  readonly run: string;
  readonly config: TrainConfig;
}

class RunFailed extends EigensamError {}

/** Trains every run in a process of its own, `jobs` at a time. Complete runs are left alone, others go on. */
export async function trainAll(runs: readonly PlannedChild[], jobs: number): Promise<void> {
  const waiting = runs.filter((planned) => !isComplete(planned));
  if (waiting.length < runs.length) say(`${runs.length - waiting.length} of them are complete already`);
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await trainOne(next);
  };
  await Promise.all(Array.from({ length: jobs }, work));
}

/** Whether a run is done; one made with other settings is an error, because its results would be taken for ours. */
function isComplete({ run, config }: PlannedChild): boolean {
  trainRun.ensure(run, config);
  return trainRun.readRecord(run)?.status === "done";
}

async function trainOne({ run, config }: PlannedChild): Promise<void> {
  const start = performance.now();
  const main = new URL(`../main${moduleExtension}`, import.meta.url);
  const child = track(
    spawn(process.execPath, [...nodeArguments(main), "train", "--resume", run, "--json"], {
      stdio: ["ignore", "pipe", "pipe"],
      env: computeEnvironment(),
    }),
  );
  let [out, err] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err = (err + text).slice(-4000);
  });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject).once("close", resolve);
  });
  if (status !== 0) throw new RunFailed(`${run} ended with status ${status}:\n  ${err.trim()}`, { run, status });
  const events = out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as TrainEvent);
  const done = events.findLast((event) => event.event === "done");
  const refresh = events.findLast((event) => event.event === "refresh");
  const seconds = (performance.now() - start) / 1000;
  say(
    [
      `${colors.green("✓")} ${config.method.name.padEnd(9)} seed ${config.seed}`,
      ...(done
        ? [
            `test ${done.test?.accuracy === undefined ? "–" : percent(done.test.accuracy, 2)}`,
            `train loss ${done.train.loss.toFixed(3)}`,
          ]
        : []),
      ...(refresh ? [`λ₁ ${short(refresh.eigenvalue)}`] : []),
      colors.dim(duration(seconds)),
    ].join("  "),
  );
}
