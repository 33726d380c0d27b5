import { join } from "node:path";
import type { TrainEvent } from "../train/events.ts";
import type { Registry } from "../train/registry.ts";
import { trainOrResume } from "../train/run-training.ts";
import { EigensamError } from "../util/errors.ts";
import { recordFailure } from "./status.ts";
import type { Sweep } from "./sweep.ts";
import type { Unit } from "./units.ts";

interface UnitHooks {
  readonly listen: (event: TrainEvent) => void;
  readonly stop: AbortSignal;
  readonly registry: Registry;
}

/** How a unit ended: "done" came as far as it was to, "stopped" was asked to stop after a step. */
export type UnitEnd = { readonly status: "done" } | { readonly status: "stopped"; readonly step: number };

/** Trains a unit of a sweep from where its run stands. Why it failed is kept in the folder of the sweep, and thrown. */
export async function trainUnit(
  sweep: Sweep,
  { run, untilEpoch }: Unit,
  { listen, stop, registry }: UnitHooks,
): Promise<UnitEnd> {
  const far = new AbortController();
  try {
    const outcome = await trainOrResume({
      ...{ config: run.config, run: join(sweep.out, run.name), registry },
      stop: AbortSignal.any([stop, far.signal]),
      listen: (event) => {
        listen(event);
        if (event.event === "epoch" && event.epoch === untilEpoch) far.abort();
      },
    });
    recordFailure(sweep.out, run, undefined);
    return outcome.status === "done" || far.signal.aborted ? { status: "done" } : outcome;
  } catch (error) {
    // Another process has the run, and does not fail by this one's mistake.
    if (error instanceof EigensamError && error.data.pid === undefined) recordFailure(sweep.out, run, error.what);
    throw error;
  }
}
