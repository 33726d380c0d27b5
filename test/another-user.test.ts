import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { inPackage } from "../src/util/package.ts";

/** A user that no list of users knows, without HOME: what a container with a number for a user is. */
const USER = 54_321;
const as = ["--reuid", `${USER}`, "--regid", `${USER}`, "--clear-groups", "env", "-u", "HOME", "-u", "XDG_CACHE_HOME"];
const asUser = (cwd: string, ...command: string[]) =>
  spawnSync("setpriv", [...as, ...command], {
    cwd,
    encoding: "utf8",
    env: { ...process.env, EIGENSAM_ALLOCATOR: "stock", EIGENSAM_DATA: undefined, _: undefined },
  });
const eigensam = (cwd: string, ...args: string[]) =>
  asUser(cwd, process.execPath, inPackage("bin/eigensam.js"), ...args);

/** Only root may become another user, who must be able to read this clone. */
const can = process.getuid?.() === 0 && asUser("/", "test", "-r", inPackage("bin/eigensam.js")).status === 0;

describe.runIf(can)("another user, whom nothing knows", () => {
  const folder = mkdtempSync(join(tmpdir(), "eigensam-user-"));
  chmodSync(folder, 0o755);
  const [own, closed] = [join(folder, "own"), join(folder, "closed")];
  for (const path of [own, closed]) mkdirSync(path);
  chownSync(own, USER, USER);
  const settings = ["model.name=mlp", "model.width=2", "data.batch=2000", "train.epochs=1", "threads=1"];

  it.each([["--help"], ["data", "list"]])("can ask for %j", (...args) => {
    const { status, stderr, stdout } = eigensam(own, ...args);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).not.toBe("");
  });

  it("trains in a folder of its own", () => {
    const { status, stderr } = eigensam(own, "train", ...settings, "--run-dir", "run");
    expect(status, stderr).toBe(0);
    expect(JSON.parse(readFileSync(join(own, "run/run.json"), "utf8")).status).toBe("done");
  });

  it("is told at once where it may not write, and changes nothing", () => {
    writeFileSync(join(closed, "net.onnx"), "another's");
    const denied = (path: string) =>
      `eigensam: ${path} cannot be written: this user is not allowed to\n  hint: change its permissions, or choose another place\n`;
    for (const [args, path] of [
      [["train", ...settings, "--run-dir", join(closed, "run")], join(closed, "run")],
      [["export", join(own, "run"), "--out", join(closed, "net.onnx")], join(closed, "net.onnx")],
      [["report", join(own, "run"), "--out", join(closed, "report")], join(closed, "report")],
    ] as const) {
      const { status, stderr } = eigensam(own, ...args);
      expect({ status, stderr }).toEqual({ status: 1, stderr: denied(path) });
    }
    expect(existsSync(join(closed, "run"))).toBe(false);
    expect(readFileSync(join(closed, "net.onnx"), "utf8")).toBe("another's");
  });
});
