import { spawn } from "node:child_process";
import { once } from "node:events";
import { allocatorHere, computeEnvironment } from "./allocator.ts";
import { statusOf, track } from "./children.ts";
import { childMark } from "./parent.ts";
import { endedBy, onStopSignals } from "./stop.ts";
import { say } from "./ui.ts";

/** Runs this command again with the tuned allocator where that helps: its exit status, or undefined to continue in this process. */
export async function restartTuned(): Promise<number | undefined> {
  if (allocatorHere().state !== "restart") return undefined;
  const args = [...process.execArgv, ...process.argv.slice(1)];
  // The channel tells the child when this process is gone.
  const child = track(
    spawn(process.execPath, args, {
      stdio: ["inherit", "inherit", "inherit", "ipc"],
      env: { ...computeEnvironment(), ...childMark },
    }),
  );
  // The child decides what a signal means; this process only waits for it.
  onStopSignals((signal) => child.kill(signal));
  const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
  // A signal that a command of ours takes itself ends it with a status.
  if (signal !== null) say(signal === "SIGKILL" ? "eigensam: killed (out of memory?)" : endedBy(signal));
  return statusOf(code, signal);
}
