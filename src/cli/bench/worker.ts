/**
 * Our side of the interleaved benchmark, the counterpart of bench/torch_peer.py: prints a "ready" line after one warm-up
 * step, answers "step" with the seconds it took and the peak memory so far, "profile" with the time per node and
 * the limits of the machine, and ends on
 * "quit" or at the end of its input. One process per method, so the peak is that of the method.
 */
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { ortVersion } from "../../runtime/node-session.ts";
import type { NodeTime } from "../../runtime/session.ts";
import { EigensamError, InputError } from "../../util/errors.ts";
import { loadPlugins, registry } from "../plugins.ts";
import { type MachineLimits, measureLimits } from "./limits.ts";
import { type Workload, type WorkloadOptions, prepare } from "./workload.ts";

export interface Ready {
  readonly ready: true;
  readonly side: string;
  readonly peakMiB: number;
  readonly traceS: number;
  readonly lowerS: number;
  readonly sessionS: number;
  readonly firstStepS: number;
  readonly gflop: number;
}

export interface Step {
  readonly seconds: number;
  readonly peakMiB: number;
}

export interface Profile {
  readonly nodes: readonly NodeTime[];
  readonly limits: MachineLimits;
}

/** Linux counts the memory of the parent into maxRSS until exec; VmHWM is this program's alone. */
function peakMiB(): number {
  const kib =
    process.platform === "linux"
      ? Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1])
      : process.resourceUsage().maxRSS;
  return Math.floor(kib / 1024);
}

const print = (message: Ready | Step | Profile): void => {
  process.stdout.write(`${JSON.stringify(message)}\n`);
};

async function secondsOf(work: Workload): Promise<number> {
  const start = performance.now();
  await work.step();
  return (performance.now() - start) / 1000;
}

async function serve(options: WorkloadOptions): Promise<void> {
  const work = await prepare(options, registry());
  const { traceSeconds: traceS, lowerSeconds: lowerS, sessionSeconds: sessionS } = work.stats;
  const firstStepS = await secondsOf(work);
  const side = `onnxruntime ${ortVersion}`;
  print({ ready: true, side, peakMiB: peakMiB(), traceS, lowerS, sessionS, firstStepS, gflop: work.gflop });
  for await (const request of createInterface({ input: process.stdin })) {
    if (request === "quit") break;
    else if (request === "step") print({ seconds: await secondsOf(work), peakMiB: peakMiB() });
    else if (request === "profile") print({ nodes: work.profile(), limits: await measureLimits(options.threads) });
    else throw new InputError(`bench worker: got "${request}", expected "step", "profile" or "quit"`);
  }
}

try {
  await loadPlugins(process.argv.slice(3));
  await serve(JSON.parse(process.argv[2]!) as WorkloadOptions);
  process.exit(0);
} catch (error) {
  console.error(error instanceof EigensamError ? error.message : error);
  process.exit(1);
}
