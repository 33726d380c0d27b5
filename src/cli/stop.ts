import { statusOf } from "./children.ts";
import { hangupIgnored } from "./hangup.ts";
import { say } from "./ui.ts";

/** One Ctrl-C reaches us from the terminal, from npm and from the process that started us; closer together is one wish. */
const SAME_WISH_MS = 700;

/** SIGUSR2 is what a batch system warns with before it kills; SIGUSR1 starts the debugger of Node.js. */
const always: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGUSR2"];

/** The signals that ask a command to stop: a hangup only where it is not ignored, as under nohup. */
const stopSignals: readonly NodeJS.Signals[] = hangupIgnored() ? always : [...always, "SIGHUP"];
// The children of this process cannot see it themselves.
if (!stopSignals.includes("SIGHUP")) process.env.EIGENSAM_HANGUP = "ignored";

/** Replaces what the signals do. A hangup that is to be ignored would otherwise end the process. */
export function onStopSignals(listener: (signal: NodeJS.Signals) => void): void {
  for (const signal of [...always, "SIGHUP"] as const) {
    process.removeAllListeners(signal);
    process.on(signal, () => stopSignals.includes(signal) && listener(signal));
  }
}

/** What a command says that a signal ended. */
export const endedBy = (signal: NodeJS.Signals): string =>
  signal === "SIGINT" ? "eigensam: interrupted" : `eigensam: stopped by ${signal}`;

/**
 * Asks to stop at the first signal, and ends the process at the second, saying what is `saved` then: a step or the scores of an
 * epoch may take long.
 */
export function stopOnSignals(
  what = "finishing this step and saving",
  saved: () => string = () => "",
): {
  readonly signal: AbortSignal;
  /** The exit status: 0 until a signal came. */
  readonly status: () => number;
} {
  const controller = new AbortController();
  let status = 0;
  let again = false;
  onStopSignals((signal) => {
    if (again) {
      say([endedBy(signal), saved()].filter((part) => part !== "").join("; "));
      process.exit(statusOf(null, signal));
    }
    if (controller.signal.aborted) return;
    status = statusOf(null, signal);
    // A step blocks this thread, and signals that came meanwhile are handled after timers but before immediates.
    setTimeout(
      () =>
        setImmediate(() => {
          again = true;
        }),
      SAME_WISH_MS,
    ).unref();
    say(`${what}; press Ctrl-C again to stop at once`);
    controller.abort();
  });
  return { signal: controller.signal, status: () => status };
}
