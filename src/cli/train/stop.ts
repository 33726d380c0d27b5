import { constants } from "node:os";
import { say } from "../ui.ts";

/** Ctrl-C reaches us from the terminal and again from the process that restarted us; closer together is one wish. */
const SAME_WISH_MS = 700;

/** Asks to stop at the first SIGINT or SIGTERM, and ends the process at the second. */
export function stopOnSignals(): { readonly signal: AbortSignal; readonly status: () => number } {
  const controller = new AbortController();
  let status = 0;
  let first = 0;
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.removeAllListeners(name);
    process.on(name, () => {
      const now = performance.now();
      if (!controller.signal.aborted) {
        first = now;
        status = 128 + constants.signals[name];
        say("\nfinishing this step and saving; once more to stop at once");
        controller.abort();
      } else if (now - first > SAME_WISH_MS) process.exit(128 + constants.signals[name]);
    });
  }
  return { signal: controller.signal, status: () => status };
}
