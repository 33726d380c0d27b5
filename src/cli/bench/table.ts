import { cpus } from "node:os";
import { colors } from "../colors.ts";
import type { NodeTime } from "../../runtime/session.ts";
import { groupBy } from "../../util/group-by.ts";
import { allocatorHere } from "../allocator.ts";
import { type Column, say, tableHead, tableRow } from "../ui.ts";
import type { Measurement, Timing } from "./measure.ts";

const number = (title: string, width: number): Column => ({ title, width, align: "right" });
const word = (title: string, width: number): Column => ({ title, width, align: "left" });

const ourColumns = [word("method", 9), number("median", 9), number("min", 9), number("MiB", 6), number("build", 7)];
const peerColumns = [
  word("peer", 4),
  number("median", 9),
  number("min", 9),
  number("MiB", 6),
  number("time", 6),
  number("memory", 6),
];

const seconds = (s: number): string => (s < 1 ? `${(s * 1000).toFixed(1)} ms` : `${s.toFixed(3)} s`);
const times = (ratio: number): string => `${ratio.toFixed(2)}×`;
const timed = ({ medianS, minS, peakMiB }: Timing): string[] => [seconds(medianS), seconds(minS), String(peakMiB)];

const columnsOf = ({ peer }: Measurement): Column[] => (peer ? [...ourColumns, ...peerColumns] : ourColumns);

/** The machine, and the head of the table; what it says about versions comes from the first measurement. */
export function sayHead(what: string, measured: Measurement): void {
  const cores = cpus();
  const allocator = allocatorHere();
  const parts = [
    `${cores[0]?.model.trim() ?? "unknown CPU"}, ${cores.length} cores`,
    measured.side,
    ...(measured.peer ? [measured.peer.name] : []),
    allocator.state === "stock" ? `stock allocator: ${allocator.reason}` : "tuned allocator",
  ];
  say(colors.bold(what));
  say(colors.dim(parts.join(" · ")));
  say(colors.dim(tableHead(columnsOf(measured))));
}

export function sayRow(method: string, measured: Measurement): void {
  const { ours, peer } = measured;
  const build = ours.traceS + ours.lowerS + ours.sessionS;
  const cells = [method, ...timed(ours), `${build.toFixed(2)} s`];
  const against = peer
    ? [peer.layout, ...timed(peer), times(ours.medianS / peer.medianS), times(ours.peakMiB / peer.peakMiB)]
    : [];
  say(tableRow(columnsOf(measured), [...cells, ...against]));
}

export interface OpTime {
  readonly op: string;
  readonly nodes: number;
  readonly ms: number;
}

/** Milliseconds per step and operator: the sum of each node's median, largest first. */
export const timePerOp = (nodes: readonly NodeTime[]): OpTime[] =>
  [...groupBy(nodes, ({ op }) => op)]
    .map(([op, own]) => ({ op, nodes: own.length, ms: own.reduce((sum, { medianMs }) => sum + medianMs, 0) }))
    .sort((a, b) => b.ms - a.ms);

const opColumns = [word("  operator", 24), number("nodes", 6), number("ms/step", 9)];
const nodeColumns = [word("  slowest nodes", 48), number("ms", 9)];

export function sayProfile(ops: readonly OpTime[], nodes: readonly NodeTime[]): void {
  say(colors.dim(tableHead(opColumns)));
  for (const { op, nodes: count, ms } of ops) say(tableRow(opColumns, [`  ${op}`, String(count), ms.toFixed(2)]));
  say(colors.dim(tableHead(nodeColumns)));
  for (const { node, medianMs } of nodes) say(tableRow(nodeColumns, [`  ${node}`, medianMs.toFixed(2)]));
}
