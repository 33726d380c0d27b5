import { setImmediate as turn } from "node:timers/promises";
import type { Claim } from "../../run/claim.ts";
import type { RunStatus } from "../../run/directory.ts";
import { builtIn, type Registry } from "../../train/registry.ts";
import { assertSame } from "../../train/identity.ts";
import { methodRecord } from "../../train/run-record.ts";
import { TrainingError } from "../../util/errors.ts";
import { firstNotFinite } from "../../util/finite.ts";
import { packageVersion } from "../../util/package.ts";
import { createStepper } from "./advance.ts";
import { sdeIdentity, type States, stateOf, vectorsOf } from "./checkpoint.ts";
import type { SdeRunConfig } from "./config.ts";
import type { RunLabel, SdeEvent } from "./events.ts";
import { createMeter } from "./measure.ts";
import { loadProblem } from "./problem.ts";
import type { SdeProgress } from "./records.ts";
import { sdeRun, sdeRunOf } from "./run-dir.ts";
import { initialProcessState, type ProcessState } from "./state.ts";
import { type PathName, pathsOf } from "./processes.ts";

export interface SdeRunArgs {
  readonly config: SdeRunConfig;
  /** A run directory with its settings in it; a checkpoint in it is resumed. */
  readonly run: string;
  readonly listen: (event: SdeEvent) => void;
  /** Asks to stop after the step at hand. */
  readonly stop: AbortSignal;
  readonly registry?: Registry;
}

const BEGINNING: SdeProgress = { step: 0, diverged: {}, metricsBytes: 0, timingsBytes: 0, seconds: 0 };

/**
 * Takes all processes of one seed and radius along together, step by step. Whether it is done, or stopped when asked.
 * @throws ConfigError where another process is at work on the run, or it is complete
 */
export function runSde(args: SdeRunArgs): Promise<"done" | "stopped"> {
  const { run, config, listen, registry = builtIn } = args;
  const label = { run, seed: config.seed, rho: config.method.rho };
  const onWait = (message: string) => listen({ ...label, event: "wait", message });
  return sdeRunOf(registry).alone(run, config, onWait, (claim) => runClaimed(args, label, claim));
}

async function runClaimed(
  { config, run, listen, stop, registry = builtIn }: SdeRunArgs,
  label: RunLabel,
  claim: Claim,
): Promise<"done" | "stopped"> {
  const { seed, sde } = config;
  const problem = await loadProblem(config, registry);
  const names = pathsOf(sde);
  const identity = sdeIdentity(config, problem);
  const restored = sdeRun.restore(run, (checkpoint) => {
    assertSame(run, checkpoint.metadata, identity);
    return {
      from: checkpoint.progress,
      states: new Map(names.map((name) => [name, stateOf(checkpoint, problem, name)])),
    };
  });
  const from = restored?.from ?? BEGINNING;
  const states: States = restored?.states ?? new Map(names.map((name) => [name, initialProcessState(problem, seed)]));
  let { step } = from;
  const recorder = sdeRun.open(run, from, (now: States) => ({ ...vectorsOf(now), metadata: identity }));
  const record = (status: RunStatus, error?: string) => {
    // The record of a run that was taken over is the other process's.
    if (status === "failed" && !claim.held()) return;
    claim.assertHeld();
    sdeRun.writeRecord(run, {
      versions: { eigensam: packageVersion, node: process.versions.node },
      config,
      method: methodRecord(problem.method),
      status,
      step,
      seconds: recorder.seconds(),
      ...(error === undefined ? {} : { error }),
    });
  };

  record("running");
  const [stepper, meter] = [await createStepper(config, problem), await createMeter(config, problem)];
  const living = () => [...states].filter(([, { divergedAt }]) => divergedAt === undefined);
  const retire = (name: PathName, state: ProcessState) => {
    state.divergedAt = step;
    recorder.metrics({ kind: "diverged", step, process: name });
    listen({ ...label, event: "diverged", step, process: name });
    if (living().length > 0) return;
    const saved = recorder.checkpoint();
    throw new TrainingError(
      `every process diverged by step ${step}`,
      { run, step, checkpoint: saved },
      `${saved === undefined ? "" : `the last good checkpoint is ${saved}; `}lower sde.eta or method.rho`,
    );
  };
  const measure = async () => {
    claim.assertHeld();
    for (const [name, state] of living()) {
      const measured = await meter.measure(state, step);
      if (Number.isFinite(measured.trainLoss) && Number.isFinite(measured.norm)) {
        recorder.metrics({ kind: "measure", step, process: name, ...measured });
        if (name === "discrete") recorder.metrics({ kind: "drift", step, ...(await stepper.driftErrors(state, step)) });
        listen({ ...label, event: "measure", step, process: name, ...measured });
      } else retire(name, state);
    }
  };
  const save = () => {
    claim.assertHeld();
    const diverged = Object.fromEntries([...states].map(([name, { divergedAt }]) => [name, divergedAt]));
    recorder.save(states, { ...from, step, diverged });
  };

  try {
    listen({ ...label, event: "start", config, parameters: problem.size, step });
    if (from.metricsBytes === 0) {
      // A checkpoint before the first line: lines without one mean that checkpoints were lost.
      save();
      await measure();
      save();
    }
    while (step < sde.steps) {
      const moved = living();
      for (const [name, state] of moved) await stepper.advance(name, state, step);
      step++;
      for (const [name, state] of moved)
        if (firstNotFinite(state.theta) >= 0 || firstNotFinite(state.v) >= 0) retire(name, state);
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
    listen({ ...label, event: "done", steps: step, seconds: recorder.seconds() });
    return "done";
  } catch (error) {
    record("failed", error instanceof Error ? error.message : String(error));
    throw error;
  } finally {
    recorder.close();
    await stepper.release();
    await meter.release();
  }
}
