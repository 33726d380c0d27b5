import { throttle } from "./progress-line.ts";

/** What a child reports to the process of ours that started it. */
export interface ProgressMessage {
  readonly done: number;
  readonly of: number;
}

const due = throttle(200);

/** Tells the pool that started this process how far its run is; does nothing in any other process. */
export function reportProgress(done: number, of: number): void {
  if (!process.connected || !(due() || done === of)) return;
  // A parent that is gone has already asked this process to stop.
  process.send?.({ done, of } satisfies ProgressMessage, undefined, undefined, () => undefined);
}

/** Tells a child that it was started by a process of ours. */
const STARTED_BY_US = "EIGENSAM_CHILD";
export const childMark = { [STARTED_BY_US]: "1" };

/** Asks this process to save and stop when the process of ours that started it dies, even by SIGKILL. */
export function stopWithParent(): void {
  const started = process.env[STARTED_BY_US] !== undefined;
  // What this process starts itself is another's child.
  delete process.env[STARTED_BY_US];
  if (process.channel == null) {
    // A parent that died while this process was starting has left no channel.
    if (started) process.kill(process.pid, "SIGTERM");
    return;
  }
  process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
  // A listener would keep the process alive after its work.
  process.channel.unref();
}
