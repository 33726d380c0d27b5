import { hostname } from "node:os";
import { holderOf } from "../../run/claim.ts";
import type { Sweep } from "../../sweep/sweep.ts";
import { ConfigError } from "../../util/errors.ts";
import { say } from "../ui.ts";

/** Asks the process that runs a sweep to save and stop. ConfigError where that is on another machine. */
export async function cancel({ out, definition }: Sweep): Promise<void> {
  const holder = await holderOf(out);
  if (holder?.pid === undefined) {
    say(`nobody is at work on ${out}`);
    return;
  }
  const { pid, host } = holder;
  if (host !== hostname())
    throw new ConfigError(`process ${pid} of ${host} runs ${definition.name}`, { pid, host }, "cancel it there");
  process.kill(pid, "SIGINT");
  say(`asked process ${pid} to save its runs and stop; eigensam sweep run goes on with them`);
}
