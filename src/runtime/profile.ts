import { readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { groupBy } from "../util/group-by.ts";
import type { NodeTime } from "./session.ts";
import { type NodeArguments, workOf } from "./node-work.ts";

interface TraceEvent {
  readonly cat: string;
  readonly name: string;
  readonly dur: number;
  readonly args: NodeArguments;
}

/** What follows the name of a node where its kernel ran. */
const KERNEL = "_kernel_time";

/** Reads and removes the trace that ONNX Runtime wrote under `prefix`; the slowest nodes come first. */
export function readProfile(prefix: string): NodeTime[] {
  const folder = dirname(prefix);
  const file = readdirSync(folder).find((name) => join(folder, name).startsWith(prefix));
  if (!file) return [];
  const events = JSON.parse(readFileSync(join(folder, file), "utf8")) as TraceEvent[];
  rmSync(join(folder, file));

  const kernels = events.filter(({ cat, name }) => cat === "Node" && name.endsWith(KERNEL));
  return [...groupBy(kernels, ({ name }) => name.slice(0, -KERNEL.length))]
    .map(([node, runs]) => {
      const times = runs.map(({ dur }) => dur / 1000).sort((a, b) => a - b);
      return {
        op: node.replace(/_\d+$/, ""),
        node,
        runs: times.length,
        totalMs: times.reduce((a, b) => a + b, 0),
        medianMs: times[times.length >> 1]!,
        ...workOf(runs[0]!.args),
      };
    })
    .sort((a, b) => b.totalMs - a.totalMs);
}
