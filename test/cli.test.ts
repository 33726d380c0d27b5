import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { decideAllocator } from "../src/cli/allocator.ts";
import { benchMethods } from "../src/cli/bench/methods.ts";
import { builtIn } from "../src/train/registry.ts";
import { inPackage, packageVersion } from "../src/util/package.ts";
import { eigensam as runCli } from "./support/cli.ts";

/** The command line with the allocator a user gets, interrupted after a while if asked. */
const eigensam = (args: readonly string[], env: NodeJS.ProcessEnv = {}, interruptAfterMs?: number) =>
  runCli(args, {
    env: { EIGENSAM_ALLOCATOR: undefined, ...env },
    ...(interruptAfterMs === undefined ? {} : { kill: { signal: "SIGINT", after: interruptAfterMs } }),
  });

const jsonLines = (text: string) =>
  text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

const tiny = ["--width", "4", "--batch", "4", "--steps", "1", "--threads", "1"];

it("runs from the sources of a clone that is not built", () => {
  const { status, stdout } = spawnSync("npm", ["run", "-s", "eigensam", "--", "--version"], {
    cwd: inPackage("."),
    encoding: "utf8",
  });
  expect({ status, stdout }).toEqual({ status: 0, stdout: `${packageVersion}\n` });
});

it("prints help in lines of 100 characters at most, whatever the settings are called", async () => {
  const { stdout } = await eigensam(["train", "--help"]);
  expect(stdout).toMatch(/^ {2}method\.rho .*\n {30}\S/m);
  expect(stdout.split("\n").filter((line) => [...line].length > 100)).toEqual([]);
});

describe("exit status", () => {
  it.each([
    [["--version"], /^\d+\.\d+\.\d+\n$/],
    [["bench", "--help"], /--batch <n>.*\(default:\s+128\)/s],
  ])("is 0 for %j", async (args, expected) => {
    const { status, stdout } = await eigensam(args);
    expect(stdout).toMatch(expected);
    expect(status).toBe(0);
  });

  it.each([
    [["bnch"], "did you mean bench?"],
    [["bench", "--pear"], "did you mean --peer?"],
    [["bench", "--model", "resnet81"], "did you mean resnet18?"],
    [["bench", "--method", "grad,eigensam"], "did you mean eigen-sam?"],
    [["bench", "--threads", "0"], 'is "0", expected a positive integer'],
  ])("is 2 for %j, with advice", async (args, advice) => {
    const { status, stdout, stderr } = await eigensam(args);
    expect(stderr).toContain(advice);
    expect(stdout).toBe("");
    expect(status).toBe(2);
  });

  it("is 1 with one error and no stack when the peer is missing", async () => {
    const { status, stderr } = await eigensam(["bench", ...tiny, "--peer", "--python", "/nowhere/python3"]);
    expect(stderr).toMatch(/^eigensam: PyTorch .* did not start: .*\n {2}hint: .*python3-torch.*\n$/);
    expect(status).toBe(1);
  });

  it("is 1 with the stack under EIGENSAM_DEBUG=1", async () => {
    const args = ["bench", ...tiny, "--peer", "--python", "/nowhere/python3"];
    const { status, stderr } = await eigensam(args, { EIGENSAM_DEBUG: "1" });
    expect(stderr).toMatch(/\n {4}at /);
    expect(status).toBe(1);
  });

  it("is 130 after an interrupt", async () => {
    const { status } = await eigensam(["bench", ...tiny, "--model", "mlp", "--steps", "1000000"], {}, 2500);
    expect(status).toBe(130);
  });
});

/** The exit status and stderr of `eigensam ARGS`, its stdout redirected as a shell does. */
const redirected = (args: string, redirection: string) => {
  const command = `${process.execPath} bin/eigensam.js ${args}`;
  const { stderr } = spawnSync("sh", ["-c", `{ ${command}; echo "status $?" >&2; } ${redirection}`], {
    cwd: inPackage("."),
    encoding: "utf8",
  });
  return stderr;
};

describe("stdout", () => {
  it("may be left by its reader", () => {
    expect(redirected("data list --json", "| true")).toBe("status 0\n");
  });

  it.runIf(existsSync("/dev/full"))("that cannot be written is one failure", () => {
    expect(redirected("data list --json", "> /dev/full")).toMatch(
      /^eigensam: the standard output cannot be written: the disk is full\nstatus 1\n$/,
    );
  });
});

describe("bench", () => {
  const slow = process.env.EIGENSAM_SLOW === "1";
  const methodNames = slow ? Object.keys(benchMethods(builtIn)) : ["grad", "eigen-sam", "hvp", "power5"];
  it(`times ${slow ? "every method" : "methods"} and prints JSON lines alone`, async () => {
    const args = ["bench", "--json", "--model", "mlp", "--method", methodNames.join(","), ...tiny];
    const { status, stdout, stderr } = await eigensam(args);
    expect(stderr).toContain("mlp · width 4 · batch 4");
    expect(status).toBe(0);
    const results = jsonLines(stdout);
    expect(results.map(({ method }) => method)).toEqual(methodNames);
    for (const { ours, ...rest } of results) {
      expect(rest).toMatchObject({ model: "mlp", width: 4, batch: 4, threads: 1 });
      expect(rest.peers).toEqual([]);
      expect(rest.gflop).toBeGreaterThan(0);
      for (const value of Object.values(ours)) expect(value).toBeGreaterThan(0);
      expect(ours.minS).toBeLessThanOrEqual(ours.medianS);
    }
  });

  it("takes a network's own width where none is asked for", async () => {
    const widthless = tiny.slice(tiny.indexOf("--batch"));
    const { stdout } = await eigensam(["bench", "--json", "--model", "smooth-cnn", "--method", "grad", ...widthless]);
    expect(jsonLines(stdout)[0]).toMatchObject({ model: "smooth-cnn", width: 8 });
  });

  it("times a step of SAM on ResNet18, and each operator of it", async () => {
    const { status, stdout } = await eigensam(["bench", "--json", "--profile", "--method", "sam", ...tiny]);
    expect(status).toBe(0);
    const [{ profile }] = jsonLines(stdout);
    expect(profile.ops.map(({ op }: { op: string }) => op)).toContain("MatMul");
    expect(profile.slowest).toHaveLength(10);
  });
});

describe("doctor", () => {
  it("reports versions, devices, the allocator and a self-test that passes", async () => {
    const { status, stdout } = await eigensam(["doctor", "--json", "--python", "/nowhere/python3"]);
    expect(status).toBe(0);
    const report = jsonLines(stdout)[0];
    expect(report.versions).toEqual({
      eigensam: expect.stringMatching(/^\d/),
      node: process.versions.node,
      onnxruntime: expect.stringMatching(/^\d/),
    });
    expect(report.devices[0]).toEqual({ device: "cpu", available: true });
    for (const { available, reason, hint } of report.devices.slice(1))
      expect(available || (reason.length > 0 && hint.length > 0)).toBe(true);
    // The row says which device it is.
    for (const { reason = "" } of report.devices) expect(reason).not.toMatch(/^device/);
    expect(["tuned", "stock"]).toContain(report.allocator.state);
    expect(report.selfTest).toMatchObject({ pass: true });
    expect(report.selfTest.gflops).toBeGreaterThan(0);
    expect(report.peer.reason).toContain("ENOENT");
  });

  it("does not restart under EIGENSAM_ALLOCATOR=stock", async () => {
    const { stdout } = await eigensam(["doctor", "--json", "--python", "/nowhere/python3"], {
      EIGENSAM_ALLOCATOR: "stock",
      GLIBC_TUNABLES: "",
    });
    expect(jsonLines(stdout)[0].allocator.state).toBe("stock");
  });
});

describe("the allocator decision", () => {
  const linux = { platform: "linux", glibc: "2.36" };
  const restart = (env: Record<string, string>) => {
    const decision = decideAllocator({ ...linux, env });
    if (decision.state !== "restart") throw new Error(`got ${decision.state}, expected restart`);
    return decision.tunables;
  };

  it("restarts with all settings, and is content with what it asked for", () => {
    const tunables = restart({});
    expect(tunables.split(":")).toHaveLength(4);
    expect(decideAllocator({ ...linux, env: { GLIBC_TUNABLES: tunables } })).toEqual({ state: "tuned" });
  });

  it("keeps what the user set, the value of a setting of ours included", () => {
    const tunables = restart({ GLIBC_TUNABLES: "glibc.malloc.check=1:glibc.malloc.top_pad=7" }).split(":");
    expect(tunables.slice(0, 2)).toEqual(["glibc.malloc.check=1", "glibc.malloc.top_pad=7"]);
    expect(tunables.filter((entry) => entry.startsWith("glibc.malloc.top_pad="))).toHaveLength(1);
    expect(tunables).toHaveLength(5);
  });

  it.each([
    ["switched off", { ...linux, env: { EIGENSAM_ALLOCATOR: "stock" } }],
    ["another system", { platform: "darwin", glibc: undefined, env: {} }],
    ["another C library", { platform: "linux", glibc: undefined, env: {} }],
    ["an old glibc", { platform: "linux", glibc: "2.31", env: {} }],
    ["settings that got lost on the way", { ...linux, env: { EIGENSAM_ALLOCATOR: "tuned" } }],
  ])("stays with the stock allocator: %s", (_, facts) => {
    expect(decideAllocator(facts)).toMatchObject({ state: "stock", reason: expect.stringMatching(/./) });
  });

  it("accepts a newer major version of glibc", () => {
    expect(decideAllocator({ platform: "linux", glibc: "3.0", env: {} }).state).toBe("restart");
  });
});
