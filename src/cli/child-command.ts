import { spawn } from "node:child_process";
import { EigensamError } from "../util/errors.ts";
import { moduleExtension, nodeArguments } from "../util/package.ts";
import { computeEnvironment } from "./allocator.ts";
import { track } from "./children.ts";

class ChildFailed extends EigensamError {}

/** Runs one command of ours in a process of its own to its end; what it said is in the error where it fails. */
export async function runChild(args: readonly string[]): Promise<void> {
  const main = new URL(`./main${moduleExtension}`, import.meta.url);
  const child = track(
    spawn(process.execPath, [...nodeArguments(main), ...args], {
      stdio: ["ignore", "ignore", "pipe"],
      env: computeEnvironment(),
    }),
  );
  let said = "";
  child.stderr!.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-4000);
  });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject).once("close", resolve);
  });
  if (status !== 0)
    throw new ChildFailed(`${args.join(" ")} ended with status ${status}:\n  ${said.trim()}`, { status });
}
