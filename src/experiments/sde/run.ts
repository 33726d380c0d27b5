import { setImmediate as turn } from "node:timers/promises";
import { openLog } from "../../train/log-file.ts";
import { TrainingError } from "../../util/errors.ts";
import { createStepper } from "./advance.ts";
import { readSdeCheckpoint, type States, writeSdeCheckpoint } from "./checkpoint.ts";
import type { SdeRunConfig } from "./config.ts";
import type { SdeEvent } from "./events.ts";
import { createMeter } from "./measure.ts";
import { loadProblem } from "./problem.ts";
import { type SdeStatus, sdeFiles, writeSdeRecord } from "./run-dir.ts";
import { initialProcessState } from "./state.ts";

export interface SdeRunArgs {
  readonly config: SdeRunConfig;
  /** A run directory with its settings in it; what its checkpoint holds is gone on with. */
  readonly run: string;
  readonly listen: (event: SdeEvent) => void;
  /** Asks to stop after the step at hand. */
  readonly stop: AbortSignal;
}

/** Takes all processes of one seed and radius along together, step by step. Whether it is done, or stopped when asked. */
export async function runSde({ config, run, listen, stop }: SdeRunArgs): Promise<"done" | "stopped"> {
  const { seed, sde, method } = config;
  const label = { run, seed, rho: method.rho };
  const problem = await loadProblem(config);
  const names = [...new Set(sde.processes)];
  const restored = readSdeCheckpoint(run, problem, names);
  const states: States = restored?.states ?? new Map(names.map((name) => [name, initialProcessState(problem, seed)]));
  const begun = performance.now();
  const seconds = () => (restored?.progress.seconds ?? 0) + (performance.now() - begun) / 1000;
  let step = restored?.progress.step ?? 0;
  const record = (status: SdeStatus, error?: string) =>
    writeSdeRecord(run, { config, status, step, seconds: seconds(), ...(error === undefined ? {} : { error }) });

  record("running");
  const log = openLog(sdeFiles(run).metrics, restored?.progress.metricsBytes ?? 0);
  const [stepper, meter] = [await createStepper(config, problem), await createMeter(config, problem)];
  const living = () => [...states].filter(([, { divergedAt }]) => divergedAt === undefined);
  const measure = async () => {
    for (const [process, state] of living()) {
      const measured = await meter.measure(state);
      if (Number.isFinite(measured.trainLoss) && Number.isFinite(measured.norm)) {
        log.append({ kind: "measure", step, process, ...measured });
        if (process === "discrete") log.append({ kind: "drift", step, ...(await stepper.driftErrors(state, step)) });
        listen({ ...label, event: "measure", step, process, ...measured });
      } else {
        state.divergedAt = step;
        log.append({ kind: "diverged", step, process });
        listen({ ...label, event: "diverged", step, process });
      }
    }
    if (living().length === 0)
      throw new TrainingError(`every process diverged by step ${step}`, { run, step }, "lower sde.eta or method.rho");
  };
  const save = () => {
    log.sync();
    writeSdeCheckpoint(run, states, { step, metricsBytes: log.bytes, seconds: seconds() });
  };

  try {
    listen({ ...label, event: "start", config, parameters: problem.size, step });
    if (restored === undefined) {
      await measure();
      save();
    }
    while (step < sde.steps) {
      for (const [name, state] of living()) await stepper.advance(name, state, step);
      step++;
      if (step % config.measure.every === 0 || step === sde.steps) {
        await measure();
        save();
      }
      // A run of a graph blocks this thread; signals come in here.
      await turn();
      if (stop.aborted && step < sde.steps) {
        save();
        record("stopped");
        return "stopped";
      }
    }
    record("done");
    listen({ ...label, event: "done", steps: step, seconds: seconds() });
    return "done";
  } catch (error) {
    record("failed", error instanceof Error ? error.message : String(error));
    throw error;
  } finally {
    log.close();
    await stepper.release();
    await meter.release();
  }
}
