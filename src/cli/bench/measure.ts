import { setTimeout } from "node:timers/promises";
import type { NodeTime } from "../../runtime/session.ts";
import { type Layout, type PeerReady, type Side, startOurs, startPeer } from "./sides.ts";
import type { Profile, Ready, Step } from "./worker.ts";
import type { WorkloadOptions } from "./workload.ts";

export interface Timing {
  readonly medianS: number;
  readonly minS: number;
  readonly peakMiB: number;
}

export interface OurTiming extends Timing, Pick<Ready, "traceS" | "lowerS" | "sessionS" | "firstStepS"> {}

export interface PeerTiming extends Timing {
  readonly name: string;
  readonly layout: Layout;
}

export interface Measurement {
  readonly side: string;
  readonly ours: OurTiming;
  /** PyTorch in the layout that was faster. */
  readonly peer?: PeerTiming;
  readonly nodes?: readonly NodeTime[];
}

export interface MeasureOptions extends WorkloadOptions {
  readonly steps: number;
  readonly peer: boolean;
  readonly python: string;
}

/** Times one method: every side is started and warmed up, then all take turns, one at a time. */
export async function measure({ steps, peer, python, ...options }: MeasureOptions): Promise<Measurement> {
  const sides: Side<unknown>[] = [];
  const started = async <R>(side: Promise<Side<R>>): Promise<Side<R>> => {
    sides.push(await side);
    return side;
  };
  try {
    const peers: Side<PeerReady>[] = [];
    // PyTorch first, since it is the side that may be missing.
    if (peer)
      for (const layout of ["nchw", "nhwc"] as const) peers.push(await started(startPeer(python, layout, options)));
    const ours = await started(startOurs(options));
    const [mine, ...theirs] = await takeTurns([ours, ...peers], steps);
    const { side, traceS, lowerS, sessionS, firstStepS } = ours.ready;
    const best = theirs
      .map((steps, i): PeerTiming => ({ name: peers[i]!.ready.side, layout: peers[i]!.ready.layout, ...timing(steps) }))
      .sort((a, b) => a.medianS - b.medianS)[0];
    return {
      side,
      ours: { ...timing(mine!), traceS, lowerS, sessionS, firstStepS },
      ...(best === undefined ? {} : { peer: best }),
      ...(options.profile ? await ours.child.ask<Profile>("profile") : {}),
    };
  } finally {
    await Promise.all(sides.map(({ child }) => child.stop()));
  }
}

/** Worker threads of both sides spin for some milliseconds after a step, waiting for more work, before they sleep. */
const SETTLE_MS = 20;

/** Load on the machine changes over seconds; in turns it hits every side alike. */
async function takeTurns(sides: readonly Side<unknown>[], rounds: number): Promise<Step[][]> {
  const steps = sides.map((): Step[] => []);
  for (let round = 0; round < rounds; round++)
    for (const [i, { child }] of sides.entries()) {
      await setTimeout(SETTLE_MS);
      steps[i]!.push(await child.ask<Step>("step"));
    }
  return steps;
}

function timing(steps: readonly Step[]): Timing {
  const seconds = steps.map((step) => step.seconds).sort((a, b) => a - b);
  const middle = seconds.length >> 1;
  const medianS = seconds.length % 2 === 1 ? seconds[middle]! : (seconds[middle - 1]! + seconds[middle]!) / 2;
  return { medianS, minS: seconds[0]!, peakMiB: Math.max(...steps.map((step) => step.peakMiB)) };
}
