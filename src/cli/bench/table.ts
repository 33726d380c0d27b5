import { cpus } from "node:os";
import { colors } from "../colors.ts";
import { ortVersion } from "../../runtime/node-session.ts";
import { groupBy } from "../../util/group-by.ts";
import { allocatorHere } from "../allocator.ts";
import { type Column, say, tableHead, tableRow } from "../ui.ts";
import type { Measurement } from "./measure.ts";
import { type PeerName, peers } from "./peers.ts";
import type { SuiteMean } from "./suite.ts";

const number = (title: string, width: number): Column => ({ title, width, align: "right" });
const word = (title: string, width: number): Column => ({ title, width, align: "left" });

const ourColumns = [
  word("method", 9),
  number("GFLOP", 7),
  number("median", 9),
  number("min", 9),
  number("MiB", 6),
  number("build", 7),
];
const peerColumns = (name: PeerName): Column[] => [
  number(peers[name].title, Math.max(9, peers[name].title.length)),
  number("time", 6),
  number("memory", 6),
];

const seconds = (s: number): string => (s < 1 ? `${(s * 1000).toFixed(1)} ms` : `${s.toFixed(3)} s`);
const times = (ratio: number): string => `${ratio.toFixed(2)}×`;
const gflop = (value: number): string => (value < 10 ? value.toFixed(2) : value.toFixed(0));

/** A row for each method; with `label`, each has a network of its own in front of it. */
export interface BenchTable {
  readonly columns: readonly Column[];
  readonly names: readonly PeerName[];
  readonly labelled: boolean;
}

export const benchTable = (names: readonly PeerName[], labels: readonly string[] = []): BenchTable => ({
  names,
  labelled: labels.length > 0,
  columns: [
    ...(labels.length > 0 ? [word("network", Math.max(...labels.map((label) => label.length)))] : []),
    ...ourColumns,
    ...names.flatMap(peerColumns),
  ],
});

/** What is timed and the machine. */
export function sayHead(what: string, { columns }: BenchTable): void {
  const cores = cpus();
  const allocator = allocatorHere();
  const parts = [
    `${cores[0]?.model.trim() ?? "unknown CPU"}, ${cores.length} cores`,
    `onnxruntime ${ortVersion}`,
    allocator.state === "stock" ? `stock allocator: ${allocator.reason}` : "tuned allocator",
  ];
  say(colors.bold(what));
  say(colors.dim(parts.join(" · ")));
  say(colors.dim(tableHead(columns)));
}

export function sayRow(table: BenchTable, method: string, measured: Measurement, label = ""): void {
  const { ours } = measured;
  const build = ours.traceS + ours.lowerS + ours.sessionS;
  const timed = [seconds(ours.medianS), seconds(ours.minS), String(ours.peakMiB), `${build.toFixed(2)} s`];
  const against = table.names.flatMap((name) => {
    const its = measured.peers.find(({ peer }) => peer === name);
    return its ? [seconds(its.medianS), times(its.ratio), times(its.memoryRatio)] : ["–", "", ""];
  });
  const cells = [method, gflop(measured.gflop), ...timed, ...against];
  say(tableRow(table.columns, table.labelled ? [label, ...cells] : cells));
}

/** What the ratios are, and which versions and layouts they are against. */
export function sayPeers(measured: readonly Measurement[]): void {
  const all = measured.flatMap(({ peers: some }) => some);
  if (all.length === 0) return;
  const sides = [...groupBy(all, ({ side }) => side)].map(([side, some]) => {
    const layouts = [...groupBy(some, ({ layout }) => layout)];
    const counts = layouts.map(([layout, own]) => (layouts.length > 1 ? `${layout} in ${own.length}` : layout));
    return `${side} (${counts.join(", ")})`;
  });
  say(colors.dim(`times are medians, ratios ours to theirs; peers: ${sides.join("; ")}, each in its faster layout`));
}

export function sayMeans(means: readonly SuiteMean[]): void {
  say(colors.bold("geometric means of ratios"));
  for (const [peer, some] of groupBy(means, (mean) => mean.peer)) {
    const title = peer === "best" ? "fastest of them" : peers[peer].title;
    const parts = some.map(
      ({ method, time, memory, lines }) => `${method} ${times(time)} time, ${times(memory)} memory (${lines})`,
    );
    say(`  to ${title}: ${parts.join(" · ")}`);
  }
}
