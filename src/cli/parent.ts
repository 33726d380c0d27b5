import { z } from "zod";
import { throttle } from "./progress-line.ts";

/** What a child reports to the process of ours that started it. */
export const progressMessage = z.object({ done: z.number(), of: z.number() });
export type ProgressMessage = z.output<typeof progressMessage>;

const due = throttle(200);

/** Tells the pool that started this process how far its run is; does nothing in any other process. */
export function reportProgress(done: number, of: number): void {
  if (!process.connected || !(due() || done === of)) return;
  // A parent that is gone has already asked this process to stop.
  process.send?.({ done, of } satisfies ProgressMessage, undefined, undefined, () => undefined);
}

/** Asks this process to save and stop when the process of ours that started it dies, even by SIGKILL. */
export function stopWithParent(): void {
  if (process.channel === undefined) return;
  process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
  // A listener would keep the process alive after its work.
  process.channel.unref();
}
