import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Claim, type ClaimOptions, claimRun } from "../src/run/claim.ts";
import { copyRun } from "../src/run/copy.ts";
import { runFiles } from "../src/run/files.ts";
import { ConfigError, TrainingError } from "../src/util/errors.ts";
import { type Claimant, claimant } from "./support/claimant.ts";

let run = "";
let others: Claimant[] = [];
let claims: Claim[] = [];
beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), "eigensam-claim-"));
  run = join(folder, "run");
  mkdirSync(run);
  [others, claims] = [[], []];
});
afterEach(async () => {
  for (const claim of claims) claim.release(true);
  for (const other of others) await other.kill();
});

const claim = async (options: ClaimOptions = {}) => {
  const made = await claimRun(run, { beat: 50, silence: 200, ...options });
  claims.push(made);
  return made;
};
const start = async (...args: Parameters<typeof claimant>) => {
  const made = await claimant(...args);
  others.push(made);
  return made;
};
const numbers = () => readdirSync(runFiles(run).claims);
const file = () => join(runFiles(run).claims, numbers()[0]!);
const edit = (change: object) =>
  writeFileSync(file(), JSON.stringify({ ...JSON.parse(readFileSync(file(), "utf8")), ...change }));
const permitted = (command: string, ...args: readonly string[]) =>
  spawnSync(command, [...args, "true"], { stdio: "ignore" }).status === 0;

describe("a run", () => {
  it("is one process's at a time, and the next one's when it is given back", async () => {
    const first = await claim();
    await expect(claim()).rejects.toThrow(ConfigError);
    await expect(claim()).rejects.toThrow(`${run} is in use by this process already`);
    first.release(false);
    expect(numbers()).toEqual(["1"]);
    const second = await claim();
    expect(numbers()).toEqual(["2"]);
    second.assertHeld();
    second.release(true);
    expect(existsSync(runFiles(run).claims)).toBe(false);
  });

  it("is one's of twenty that claim it together in one process", async () => {
    const made = await Promise.allSettled(Array.from({ length: 20 }, () => claim()));
    expect(made.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  it("is one's of several processes, after a dead one as well, and none keeps it beyond its death", async () => {
    for (const round of [1, 2]) {
      const started = await Promise.all(Array.from({ length: 5 }, () => start(run)));
      const holders = started.filter(({ said }) => said === "held");
      expect(holders, String(started.map(({ said }) => said))).toHaveLength(1);
      for (const { said } of started) expect(said).toMatch(/^held$|^process \d+ is at work on /);
      await expect(claim()).rejects.toThrow("stop it first");
      await holders[0]!.kill();
      expect(numbers()).toEqual([String(round)]);
    }
    await claim();
  });

  it.runIf(process.platform === "linux")("stays that of a process that is suspended", async () => {
    const holder = await start(run);
    process.kill(JSON.parse(readFileSync(file(), "utf8")).pid, "SIGSTOP");
    await expect(claim({ silence: 10 })).rejects.toThrow("is at work on");
    await holder.kill();
  });
});

/** Ways in which process numbers, names or users do not tell who is at work. */
const elsewhere: readonly (readonly [string, readonly string[]])[] = [
  ["a new process-number namespace", ["unshare", "--pid", "--fork"]],
  ["a machine of another name", ["unshare", "--uts", "sh", "-c", 'hostname other; exec "$0" "$@"']],
  ["another user", ["setpriv", "--reuid", "54321", "--regid", "54321", "--clear-groups"]],
];
describe.each(elsewhere.filter(([, [command, ...args]]) => permitted(command!, ...args)))("%s", (_, by) => {
  beforeEach(() => {
    chmodSync(join(run, ".."), 0o755);
    chmodSync(run, 0o777);
  });
  it("is told from here as alive, and as dead", async () => {
    const other = await start(run, { by });
    expect(other.said).toBe("held");
    await expect(claim()).rejects.toThrow("is at work on");
    await other.kill();
    await claim({ onWait: (message) => expect.fail(message) });
  });
  it("sees from there who is at work here", async () => {
    const own = await claim();
    // The other user must be able to write there to claim anything.
    chmodSync(runFiles(run).claims, 0o777);
    expect((await start(run, { by })).said).toMatch(/at work on/);
    own.assertHeld();
  });
});

describe("a claim of a dead process", () => {
  it("is no obstacle where its number is another process's", async () => {
    const dead = await start(run);
    await dead.kill();
    edit({ pid: process.ppid });
    await claim({ onWait: (message) => expect.fail(message) });
  });
});

describe("a holder that cannot be asked", () => {
  const far = { pid: 7, host: "far", place: "another machine", lifeline: "x", released: false };
  const claimed = (text = JSON.stringify(far)) => {
    mkdirSync(runFiles(run).claims);
    writeFileSync(join(runFiles(run).claims, "3"), text);
  };

  it.each([
    ["on another machine", JSON.stringify(far), "process 7 of far may be at work here"],
    ["without a lifeline", JSON.stringify({ pid: 7, host: "far", released: false }), "process 7 of far may be"],
    ["whose claim is empty", "", "another process may be at work here"],
    ["whose claim is garbage", "\0{]", "another process may be at work here"],
  ])("%s and gives no sign of life is dead after a while, and the wait is said", async (_, text, message) => {
    claimed(text);
    const said: string[] = [];
    const begun = performance.now();
    await claim({ onWait: (line) => said.push(line) });
    expect(performance.now() - begun).toBeGreaterThan(199);
    expect(said).toEqual([expect.stringContaining(message)]);
    expect(numbers()).toEqual(["4"]);
  });

  it("is dead at once where its last sign of life is old, or it gave the run back", async () => {
    claimed();
    utimesSync(file(), new Date(0), new Date(0));
    await claim({ onWait: (message) => expect.fail(message) });
    claims.pop()!.release(true);
    claimed(JSON.stringify({ ...far, released: true }));
    await claim({ onWait: (message) => expect.fail(message) });
  });

  it("and gives signs of life is at work", async () => {
    claimed();
    const timer = setInterval(() => edit({ host: "far" }), 50);
    try {
      await expect(claim()).rejects.toThrow(`process 7 of far is at work on ${run}`);
    } finally {
      clearInterval(timer);
    }
  });

  it.runIf(permitted("unshare", "--net"))(
    "in another network namespace gives signs of life until it dies",
    async () => {
      const other = await start(run, { by: ["unshare", "--net"] });
      await expect(claim()).rejects.toThrow("is at work on");
      await other.kill();
      await claim();
    },
  );
});

it("a claim that was taken over is known as lost, and its release leaves the other's alone", async () => {
  const first = await claim();
  first.assertHeld();
  writeFileSync(join(runFiles(run).claims, "2"), "{}");
  expect(first.held()).toBe(false);
  expect(() => first.assertHeld()).toThrow(TrainingError);
  expect(() => first.assertHeld()).toThrow(`${run} was taken over by another process`);
  first.release(false);
  expect(readFileSync(join(runFiles(run).claims, "2"), "utf8")).toBe("{}");
});

it("a copy of a run is nobody's", async () => {
  await claim();
  writeFileSync(runFiles(run).config, "");
  const copy = `${run}-copy`;
  copyRun(run, copy);
  expect(readdirSync(copy)).toEqual(["config.toml"]);
});
