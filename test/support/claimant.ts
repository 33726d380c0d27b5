import { spawn } from "node:child_process";
import { inPackage } from "../../src/util/package.ts";

/** A process that claims a run and then does nothing. */
export interface Claimant {
  /** What it printed first: "held", or the message of the error. */
  readonly said: string;
  kill(): Promise<void>;
}

const program = `
const { claimRun } = await import(${JSON.stringify(`file://${inPackage("dist/run/claim.js")}`)});
const [run, beat, silence] = process.argv.slice(1);
try {
  await claimRun(run, { beat: Number(beat), silence: Number(silence) });
  console.log("held");
  setInterval(() => undefined, 1000);
} catch (error) {
  console.log(error.message.split("\\n")[0]);
}`;

/** Starts one, perhaps by another command, such as unshare. */
export async function claimant(
  run: string,
  {
    by = [],
    beat = 100,
    silence = 500,
  }: { readonly by?: readonly string[]; readonly beat?: number; readonly silence?: number } = {},
): Promise<Claimant> {
  const node = [process.execPath, "--input-type=module", "-e", program, run, String(beat), String(silence)];
  const [command, ...args] = [...by, ...node];
  const child = spawn(command!, args, { stdio: ["ignore", "pipe", "inherit"], detached: true });
  const gone = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const said = await new Promise<string>((resolve) =>
    child.stdout.once("data", (text) => resolve(String(text).trim())),
  );
  let killed = false;
  return {
    said,
    kill: async () => {
      // The whole group, as the command may have started another; one that has ended has none.
      if (said === "held" && !killed) process.kill(-child.pid!, "SIGKILL");
      killed = true;
      await gone;
    },
  };
}
