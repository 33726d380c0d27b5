import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { inPackage } from "../src/util/package.ts";

/** A shell that says nothing of nohup in `_`, and a terminal that it can have. */
const possible =
  process.platform === "linux" && existsSync("/bin/dash") && spawnSync("script", ["--version"]).error === undefined;

/** What `hangupIgnored` says to a process that is started by the line of a script, where `ask` stands. */
function askedBy(line: string): string {
  const folder = mkdtempSync(join(tmpdir(), "eigensam-hangup-"));
  const [script, program, answer] = ["job.sh", "ask.mjs", "answer"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const source = JSON.stringify(inPackage("dist/cli/hangup.js"));
  writeFileSync(
    program,
    `import { writeFileSync } from "node:fs";
    const { hangupIgnored } = await import(${source});
    writeFileSync(${JSON.stringify(answer)}, String(hangupIgnored()));`,
  );
  const ask = `${process.execPath} ${program}`;
  writeFileSync(script, `${line.replaceAll("ask", ask)}\nwait\n`);
  const { EIGENSAM_HANGUP: _, ...env } = process.env;
  spawnSync("script", ["-qec", `/bin/dash ${script}`, "/dev/null"], {
    cwd: folder,
    env: { ...env, _: "/usr/bin/script", HOME: folder },
  });
  return readFileSync(answer, "utf8");
}

describe.runIf(possible)("a command that a script starts", () => {
  it.each([
    ["under nohup", "nohup ask", "true"],
    ["under nohup in the background, its messages redirected", "nohup ask 2> log &", "true"],
    ["under nohup, its output redirected", "nohup ask > log 2>&1", "true"],
    ["under nohup that is started by another", "nohup sh -c 'ask; true' > log 2>&1 < /dev/null", "true"],
    ["by itself", "ask", "false"],
    ["by itself in the background", "ask > log 2>&1 &", "false"],
    ["by itself without an input", "ask < /dev/null", "false"],
  ])("%s: hangups are ignored or not", (_, line, expected) => {
    expect(askedBy(line)).toBe(expected);
  });
});
