import { readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import type { NodeTime } from "./session.ts";

interface TraceEvent {
  readonly cat: string;
  readonly name: string;
  readonly dur: number;
}

/** Reads and removes the trace that ONNX Runtime wrote under `prefix`; the slowest nodes come first. */
export function readProfile(prefix: string): NodeTime[] {
  const folder = dirname(prefix);
  const file = readdirSync(folder).find((name) => join(folder, name).startsWith(prefix));
  if (!file) return [];
  const events = JSON.parse(readFileSync(join(folder, file), "utf8")) as TraceEvent[];
  rmSync(join(folder, file));

  const durations = new Map<string, number[]>();
  for (const { cat, name, dur } of events) {
    if (cat !== "Node" || !name.endsWith("_kernel_time")) continue;
    const node = name.slice(0, -"_kernel_time".length);
    const list = durations.get(node);
    if (list) list.push(dur / 1000);
    else durations.set(node, [dur / 1000]);
  }
  return [...durations]
    .map(([node, times]) => ({
      op: node.replace(/_\d+$/, ""),
      node,
      runs: times.length,
      totalMs: times.reduce((a, b) => a + b, 0),
      medianMs: times.toSorted((a, b) => a - b)[times.length >> 1]!,
    }))
    .sort((a, b) => b.totalMs - a.totalMs);
}
