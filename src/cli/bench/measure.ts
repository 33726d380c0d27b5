import { setTimeout } from "node:timers/promises";
import { type Layout, type PeerName, peers, peerTakes } from "./peers.ts";
import { type PeerReady, type Side, startOurs, startPeer } from "./sides.ts";
import type { Profile, Ready, Step } from "./worker.ts";
import type { WorkloadOptions } from "./workload.ts";

export interface Timing {
  readonly medianS: number;
  readonly minS: number;
  readonly peakMiB: number;
}

export interface OurTiming extends Timing, Pick<Ready, "traceS" | "lowerS" | "sessionS" | "firstStepS"> {}

export interface PeerTiming extends Timing, Pick<PeerReady, "side" | "firstStepS"> {
  readonly peer: PeerName;
  /** The memory layout that was faster. */
  readonly layout: Layout;
  /** Our median over the peer's. */
  readonly ratio: number;
  /** Our peak memory over the peer's. */
  readonly memoryRatio: number;
}

export interface Measurement {
  readonly side: string;
  /** Floating-point operations of products and convolutions by their definitions, in thousand millions. */
  readonly gflop: number;
  readonly ours: OurTiming;
  /** Of those asked for, the ones that can take this step. */
  readonly peers: readonly PeerTiming[];
  /** Time and work by node, and what the machine does at best. */
  readonly profile?: Profile;
}

export interface MeasureOptions extends WorkloadOptions {
  readonly steps: number;
  readonly peer: readonly PeerName[];
  readonly python: string;
}

type PeerSide = Side<PeerReady> & { readonly peer: PeerName };

/** Times one method: every side is started and warmed up, then all take turns, one at a time. */
export async function measure({ steps, peer, python, ...options }: MeasureOptions): Promise<Measurement> {
  const running: Side<unknown>[] = [];
  const started = async <R>(starting: Promise<Side<R>>): Promise<Side<R>> => {
    const side = await starting;
    running.push(side);
    return side;
  };
  const fastest = async (name: PeerName): Promise<PeerSide> => {
    const sides: PeerSide[] = [];
    for (const layout of peers[name].layouts)
      sides.push({ ...(await started(startPeer(python, name, layout, options))), peer: name });
    return sides.length === 1 ? sides[0]! : await fasterOf(sides);
  };
  try {
    const others: PeerSide[] = [];
    // Peers first, since they may be missing.
    for (const name of peer.filter((name) => peerTakes(name, options))) others.push(await fastest(name));
    const ours = await started(startOurs(options));
    const [mine, ...theirs] = await takeTurns([ours, ...others], steps, LEAST_SECONDS);
    const { side, gflop, traceS, lowerS, sessionS, firstStepS } = ours.ready;
    const timed = timing(mine!);
    return {
      ...{ side, gflop },
      ours: { ...timed, traceS, lowerS, sessionS, firstStepS },
      peers: others.map(({ peer, ready }, i) => {
        const its = timing(theirs[i]!);
        return {
          ...{ peer, side: ready.side, layout: ready.layout, firstStepS: ready.firstStepS },
          ...its,
          ratio: timed.medianS / its.medianS,
          memoryRatio: timed.peakMiB / its.peakMiB,
        };
      }),
      ...(options.profile ? { profile: await ours.child.ask<Profile>("profile") } : {}),
    };
  } finally {
    await Promise.all(running.map(({ child }) => child.stop()));
  }
}

/** Short steps are repeated, so that a few milliseconds of other work do not decide. */
const [LEAST_SECONDS, MOST_ROUNDS] = [3, 100];

/** Steps that decide between two memory layouts. Only the faster one stays: all sides together must fit the memory. */
const [TRIALS, TRIAL_SECONDS] = [3, 1];

async function fasterOf(sides: readonly PeerSide[]): Promise<PeerSide> {
  const steps = await takeTurns(sides, TRIALS, TRIAL_SECONDS);
  const [first, ...rest] = sides
    .map((side, i) => ({ side, seconds: timing(steps[i]!).medianS }))
    .toSorted((a, b) => a.seconds - b.seconds);
  await Promise.all(rest.map(({ side }) => side.child.stop()));
  return first!.side;
}

/** Worker threads of all sides spin for some milliseconds after a step, waiting for more work, before they sleep. */
const SETTLE_MS = 20;

/**
 * Load on the machine changes over seconds; in turns it hits every side alike. There are `rounds` of turns, and more while the first side
 * has taken less than `seconds`.
 */
export async function takeTurns(sides: readonly Side<unknown>[], rounds: number, seconds = 0): Promise<Step[][]> {
  const steps = sides.map((): Step[] => []);
  const taken = () => steps[0]!.reduce((total, step) => total + step.seconds, 0);
  for (let round = 0; round < rounds || (taken() < seconds && round < MOST_ROUNDS); round++)
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
