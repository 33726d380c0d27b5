import type { SdeRunConfig } from "./config.ts";
import type { PathName } from "./processes.ts";
import type { Measurement } from "./records.ts";

/** Which run an event is of. */
export interface RunLabel {
  readonly run: string;
  readonly seed: number;
  readonly rho: number;
}

/** What a run reports as it goes. */
export type SdeEvent = RunLabel &
  /** Another process may be at work on the run, and cannot be asked. */
  (
    | { readonly event: "wait"; readonly message: string }
    | { readonly event: "start"; readonly config: SdeRunConfig; readonly parameters: number; readonly step: number }
    | ({ readonly event: "measure"; readonly step: number; readonly process: PathName } & Measurement)
    | { readonly event: "diverged"; readonly step: number; readonly process: PathName }
    | { readonly event: "done"; readonly steps: number; readonly seconds: number }
  );
