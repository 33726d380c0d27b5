import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { inPackage } from "../src/util/package.ts";

/** Runs statements in a process that stops on signals; `interrupt()` sends it one, `busy(ms)` blocks its thread. */
function stopping(statements: string) {
  const code = `
    import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
    const { stopOnSignals } = await import(${JSON.stringify(inPackage("src/cli/stop.ts"))});
    const { signal, status } = stopOnSignals();
    const interrupt = () => process.kill(process.pid, "SIGINT");
    const busy = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
    ${statements}
    console.log(signal.aborted, status());`;
  const args = ["--import", import.meta.resolve("tsx"), "--input-type=module", "-e", code];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", cwd: inPackage(".") });
  return { status, stdout, stderr };
}

describe("stopping on signals", () => {
  it("asks at the first, once for signals close together", () => {
    const { status, stdout, stderr } = stopping("interrupt(); await sleep(50); interrupt(); await sleep(50);");
    expect({ status, stdout }).toEqual({ status: 0, stdout: "true 130\n" });
    expect(stderr.match(/saving/g)).toHaveLength(1);
  });

  it("asks at the warning of a batch system", () => {
    const { status, stdout } = stopping('process.kill(process.pid, "SIGUSR2"); await sleep(50);');
    expect({ status, stdout }).toEqual({ status: 0, stdout: "true 140\n" });
  });

  it("takes a duplicate as the same wish that waited for a long step to end", () => {
    const { status, stdout } = stopping(
      "interrupt(); await sleep(50); await turn(); interrupt(); busy(1500); await turn(); await turn();",
    );
    expect({ status, stdout }).toEqual({ status: 0, stdout: "true 130\n" });
  });

  it("ends the process at a later one", () => {
    const { status, stdout } = stopping("interrupt(); await sleep(1000); interrupt(); await sleep(1000);");
    expect({ status, stdout }).toEqual({ status: 130, stdout: "" });
  });
});
