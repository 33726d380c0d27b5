import type { NodeTime } from "../../runtime/session.ts";
import { groupBy } from "../../util/group-by.ts";
import { colors } from "../colors.ts";
import { type Column, say, tableHead, tableRow } from "../ui.ts";
import { limitMs, type MachineLimits } from "./limits.ts";
import type { Profile } from "./worker.ts";

/** Milliseconds per step, and the least that this machine could take. */
export interface TimeAndLimit {
  readonly ms: number;
  readonly limitMs: number;
}

export interface OpTime extends TimeAndLimit {
  readonly op: string;
  readonly nodes: number;
}

export interface SlowNode extends TimeAndLimit {
  readonly node: string;
}

export interface ProfileSummary {
  readonly limits: MachineLimits;
  /** Largest first: the sum of each node's median, and of their limits. */
  readonly ops: readonly OpTime[];
  readonly slowest: readonly SlowNode[];
}

const SLOWEST_NODES = 10;

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

export function summaryOf({ nodes, limits }: Profile): ProfileSummary {
  const limit = (node: NodeTime) => limitMs(node, limits);
  return {
    limits,
    ops: [...groupBy(nodes, ({ op }) => op)]
      .map(([op, own]) => ({
        ...{ op, nodes: own.length },
        ...{ ms: sum(own.map(({ medianMs }) => medianMs)), limitMs: sum(own.map(limit)) },
      }))
      .sort((a, b) => b.ms - a.ms),
    slowest: nodes
      .toSorted((a, b) => b.medianMs - a.medianMs)
      .slice(0, SLOWEST_NODES)
      .map((node) => ({ node: node.node, ms: node.medianMs, limitMs: limit(node) })),
  };
}

const word = (title: string, width: number): Column => ({ title, width, align: "left" });
const number = (title: string, width: number): Column => ({ title, width, align: "right" });
const numbers = [number("ms/step", 9), number("limit", 9), number("reached", 8)];
const opColumns = [word("  operator", 24), number("nodes", 6), ...numbers];
const nodeColumns = [word("  slowest nodes", 31), ...numbers];

const cells = ({ ms, limitMs }: TimeAndLimit): string[] => [
  ms.toFixed(2),
  limitMs.toFixed(2),
  limitMs === 0 ? "–" : `${((100 * limitMs) / ms).toFixed(0)} %`,
];

export function sayProfile({ limits, ops, slowest }: ProfileSummary): void {
  say(colors.dim(tableHead(opColumns)));
  for (const { op, nodes, ...time } of ops) say(tableRow(opColumns, [`  ${op}`, String(nodes), ...cells(time)]));
  const all = { ms: sum(ops.map(({ ms }) => ms)), limitMs: sum(ops.map((op) => op.limitMs)) };
  say(tableRow(opColumns, ["  all", String(sum(ops.map(({ nodes }) => nodes))), ...cells(all)]));
  say(colors.dim(tableHead(nodeColumns)));
  for (const { node, ...time } of slowest) say(tableRow(nodeColumns, [`  ${node}`, ...cells(time)]));
  const [gigabytes, gigaflop] = [limits.bytesPerSecond / 1e9, limits.flopPerSecond / 1e9];
  say(
    colors.dim(
      `limit: a node's bytes at ${gigabytes.toFixed(1)} GB/s or its products at ${gigaflop.toFixed(0)} GFLOP/s, as measured here; what caches hold may beat it`,
    ),
  );
}
