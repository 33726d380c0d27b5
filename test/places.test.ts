import { execFileSync, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { cachesOf } from "../src/util/caches.ts";
import { FileError } from "../src/util/errors.ts";
import { createAtomic, writeAtomic, writeOutput } from "../src/util/files.ts";
import { inPackage } from "../src/util/package.ts";
import { assertFileWritable, assertFolderWritable, isStream } from "../src/util/places.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "eigensam-places-"));
  writeFileSync(join(folder, "file"), "before");
});
const at = (name: string) => join(folder, name);
const onPosix = process.platform !== "win32";

/** What cannot be a file, and why; the last are of Linux alone. */
const unwritable = [
  ["nowhere/x", "there is no folder"],
  [".", "it is a folder"],
  ["file/x", "a part of its path is a file"],
  ["n".repeat(300), "the name is too long"],
  ...(existsSync("/proc/self") ? [["/proc/x", "nothing can be made in /proc"]] : []),
] as [string, string][];

describe("a file that cannot be written", () => {
  it.each(unwritable)("%.12s is refused before and while writing, and nothing is left", (name, why) => {
    const path = name.startsWith("/") ? name : join(folder, name);
    for (const work of [assertFileWritable, (p: string) => writeOutput(p, "x")]) {
      expect(() => work(path)).toThrow(FileError);
      expect(() => work(path)).toThrow(`cannot be written: ${why}`);
    }
    expect(readdirSync(folder)).toEqual(["file"]);
  });

  it.runIf(onPosix)("because its links lead in a circle", () => {
    symlinkSync("loop", at("loop"));
    expect(() => assertFileWritable(at("loop"))).toThrow("its links lead in a circle");
    expect(() => writeOutput(at("loop"), "x")).toThrow("its links lead in a circle");
  });
});

describe("a folder that cannot be made", () => {
  it.each([
    ["file", "a part of its path is a file"],
    ["file/in/it", "a part of its path is a file"],
    ["n".repeat(300), "the name is too long"],
    ...(existsSync("/proc/self") ? [["/proc/x/y", "nothing can be made"]] : []),
  ] as [string, string][])("%.12s is refused", (name, why) => {
    const path = name.startsWith("/") ? name : at(name);
    expect(() => assertFolderWritable(path)).toThrow(FileError);
    expect(() => assertFolderWritable(path)).toThrow("cannot be written: ");
    if (!name.startsWith("/")) expect(() => assertFolderWritable(path)).toThrow(why);
  });

  it("is not made by looking", () => {
    assertFolderWritable(at("a/b/c"));
    expect(readdirSync(folder)).toEqual(["file"]);
  });
});

describe.runIf(onPosix)("in a folder of ours", () => {
  it("a link that leads out of it is replaced", () => {
    mkdirSync(at("report"));
    symlinkSync("../file", at("report/page"));
    writeAtomic(at("report/page"), "page");
    expect(readFileSync(at("file"), "utf8")).toBe("before");
    expect(lstatSync(at("report/page")).isFile()).toBe(true);
  });

  it("a new file is made by one", () => {
    expect(createAtomic(at("file"), "after")).toBe(false);
    expect(createAtomic(at("new"), "one")).toBe(true);
    expect(createAtomic(at("new"), "other")).toBe(false);
    symlinkSync("nowhere", at("link"));
    expect(createAtomic(at("link"), "other")).toBe(false);
    expect(readFileSync(at("file"), "utf8") + readFileSync(at("new"), "utf8")).toBe("beforeone");
    expect(readdirSync(folder).sort()).toEqual(["file", "link", "new"]);
  });

  it("the mode of a file stays", () => {
    chmodSync(at("file"), 0o600);
    writeAtomic(at("file"), "after");
    expect(statSync(at("file")).mode & 0o777).toBe(0o600);
  });
});

describe.runIf(onPosix)("what a path stands for stays", () => {
  it("its mode", () => {
    chmodSync(at("file"), 0o640);
    writeOutput(at("file"), "after");
    expect(statSync(at("file")).mode & 0o777).toBe(0o640);
    expect(readFileSync(at("file"), "utf8")).toBe("after");
  });

  it("a link to a file, or to one that is yet to be made", () => {
    mkdirSync(at("inner"));
    symlinkSync("../file", at("inner/link"));
    symlinkSync("inner/new", at("fresh"));
    for (const link of ["inner/link", "fresh"]) {
      assertFileWritable(at(link));
      writeOutput(at(link), link);
      expect(lstatSync(at(link)).isSymbolicLink()).toBe(true);
      expect(readFileSync(at(link), "utf8")).toBe(link);
    }
    expect(readFileSync(at("file"), "utf8")).toBe("inner/link");
  });

  it("a pipe, which is written to", async () => {
    execFileSync("mkfifo", [at("pipe")]);
    assertFileWritable(at("pipe"));
    const reader = spawn("cat", [at("pipe")]);
    const read = new Promise<string>((resolve) => {
      let text = "";
      reader.stdout.on("data", (data) => {
        text += data;
      });
      reader.once("close", () => resolve(text));
    });
    writeOutput(at("pipe"), "through");
    expect(await read).toBe("through");
    expect(lstatSync(at("pipe")).isFIFO()).toBe(true);
  });

  it.runIf(existsSync("/dev/full"))("a device, of the very kind of /dev/full", () => {
    // A device of our own: a fault here must not cost the machine its /dev.
    const made = spawnSync("mknod", [at("full"), "c", "1", "7"]).status === 0;
    if (!made) return expect(isStream("/dev/full")).toBe(true);
    expect(isStream(at("full"))).toBe(true);
    try {
      expect(() => writeOutput(at("full"), "x")).toThrow(/the disk is full|not allowed|does not allow/);
    } finally {
      expect(lstatSync(at("full")).isCharacterDevice()).toBe(true);
    }
  });

  it.runIf(existsSync("/dev/stdout"))("the standard output, a file included", () => {
    const code = `import { createAtomic, writeAtomic, writeOutput } from ${JSON.stringify(inPackage("src/util/files.ts"))}; console.log("first"); writeOutput("/dev/stdout", "second");`;
    writeFileSync(at("code.mjs"), code);
    const run = `${process.execPath} --import ${import.meta.resolve("tsx")} ${at("code.mjs")}`;
    expect(spawnSync("sh", ["-c", `${run} | cat`], { encoding: "utf8" }).stdout).toBe("first\nsecond");
    spawnSync("sh", ["-c", `${run} > ${at("out")}`]);
    expect(readFileSync(at("out"), "utf8")).toBe("first\nsecond");
  });
});

describe("the folder of caches", () => {
  const linux = { platform: "linux", env: {}, home: "/h", temporary: "/t", user: 7 };
  it.each([
    [linux, "/h/.cache/eigensam"],
    [{ ...linux, env: { XDG_CACHE_HOME: "/c" } }, "/c/eigensam"],
    [{ ...linux, home: undefined }, "/t/eigensam-7"],
    [{ ...linux, platform: "darwin" }, "/h/Library/Caches/eigensam"],
    [{ ...linux, platform: "win32", env: { LOCALAPPDATA: "/l" } }, "/l/eigensam/Cache"],
    [{ ...linux, platform: "win32" }, "/h/AppData/Local/eigensam/Cache"],
  ])("%#: %j", (facts, path) => {
    expect(cachesOf(facts).replaceAll("\\", "/")).toBe(path);
  });
});
