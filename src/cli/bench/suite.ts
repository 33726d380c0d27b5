import { groupBy } from "../../util/group-by.ts";
import type { Measurement } from "./measure.ts";
import type { PeerName } from "./peers.ts";

/** A network at a size: what one line of `bench --suite` is about, besides the method. */
export interface SuiteEntry {
  readonly model: string;
  readonly width: number;
  readonly depth?: number;
  readonly batch: number;
}

const atBoth = (entry: Omit<SuiteEntry, "batch">): SuiteEntry[] => [32, 128].map((batch) => ({ ...entry, batch }));

/** From small to large; all on images of the size, channels and classes that `bench` is given. */
export const suite: readonly SuiteEntry[] = [
  ...atBoth({ model: "mlp", width: 512, depth: 2 }),
  ...atBoth({ model: "cnn6", width: 32 }),
  ...atBoth({ model: "resnet18", width: 16 }),
  ...atBoth({ model: "wide-resnet", width: 4, depth: 16 }),
  ...atBoth({ model: "resnet18", width: 64 }),
];

export const entryLabel = ({ model, width, depth, batch }: SuiteEntry): string =>
  `${model}${depth === undefined ? "" : `-${depth}`} w${width} b${batch}`;

export interface SuiteResult {
  readonly entry: SuiteEntry;
  readonly method: string;
  readonly measured: Measurement;
}

/** Geometric means of our time and memory over a peer's; `best` compares with the fastest peer of each line. */
export interface SuiteMean {
  readonly peer: PeerName | "best";
  /** "all" for all of them. */
  readonly method: string;
  readonly lines: number;
  readonly time: number;
  readonly memory: number;
}

type Ratios = Pick<SuiteMean, "time" | "memory">;

/** Means by peer and method, where the peer takes any of its steps. */
export function suiteMeans(results: readonly SuiteResult[]): SuiteMean[] {
  const byMethod = [...groupBy(results, ({ method }) => method), ["all", [...results]] as const];
  const names = [...new Set(results.flatMap(({ measured }) => measured.peers.map(({ peer }) => peer)))];
  return (names.length > 1 ? [...names, "best" as const] : names).flatMap((peer) =>
    byMethod.flatMap(([method, some]) => {
      const ratios = some.flatMap(({ measured }) => ratiosOf(measured, peer) ?? []);
      return ratios.length === 0 ? [] : [{ peer, method, lines: ratios.length, ...meanOf(ratios) }];
    }),
  );
}

function ratiosOf({ peers }: Measurement, name: SuiteMean["peer"]): Ratios | undefined {
  const fastest = peers.toSorted((a, b) => a.medianS - b.medianS)[0];
  const found = name === "best" ? fastest : peers.find(({ peer }) => peer === name);
  return found && { time: found.ratio, memory: found.memoryRatio };
}

const meanOf = (ratios: readonly Ratios[]): Ratios => {
  const mean = (of: (ratio: Ratios) => number) =>
    Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(of(ratio)), 0) / ratios.length);
  return { time: mean(({ time }) => time), memory: mean(({ memory }) => memory) };
};
