import { CommanderError } from "commander";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { describe as described } from "../src/cli/describe.ts";
import { misuses } from "../src/cli/misuse.ts";
import { ortError, ortErrors } from "../src/runtime/ort-errors.ts";
import * as errors from "../src/util/errors.ts";
import { expectation } from "../src/util/expectation.ts";
import { fileError, systemFailure, systemReasons } from "../src/util/system-errors.ts";

const circumstances = {
  version: "1.2.3",
  args: ["eval", "runs/a"],
  node: "20.20.2",
  platform: "linux x64",
  plugins: [] as string[],
};
const said = (error: unknown, plugins: string[] = []) => described(error, { ...circumstances, plugins });
/** Text and hint in one line, as the tables below have them. */
const line = (error: unknown) => said(error).text.replace(/\n {2}hint: /, " | ");

describe("errors of the system", () => {
  const codes = Object.keys(systemReasons) as (keyof typeof systemReasons)[];

  it("each say what cannot be done, why, and what to do next", () => {
    const table = codes.map((code) =>
      line(fileError(systemFailure(code, "a"), "read", "a")).replace("a cannot be read: ", ""),
    );
    expect(`\n${codes.map((code, i) => `${code}: ${table[i]}`).join("\n")}\n`).toBe(`
ENOENT: there is no such file or folder | check the path; missing folders must be made first
EACCES: this user is not allowed to | change its permissions, or choose another place
EPERM: the system does not allow it | change its permissions, or choose another place
EROFS: its file system is read-only | choose another place
ENOSPC: the disk is full | free some space, or choose another disk
EDQUOT: this user's share of the disk is used up | free some space, or choose another disk
EISDIR: it is a folder | give the path of a file
ENOTDIR: a part of its path is a file, not a folder | check the path
EEXIST: something of this name is there already | remove it, or choose another name
ENOTEMPTY: the folder is not empty | empty it, or choose another name
ENAMETOOLONG: the name is too long | choose a shorter one
ELOOP: its links lead in a circle | remove or correct the links
EXDEV: it would have to move to another disk | choose a place on the same disk
EMFILE: this process has too many files open | raise the limit: ulimit -n 4096
ENFILE: this machine has too many files open | end other programs
EFBIG: the file would be larger than is allowed here | raise the limit: ulimit -f unlimited
EIO: the disk or network gives an error | check the disk; a network folder may be gone
ESTALE: the network folder has changed or is gone | mount it again
EBUSY: it is in use | end the program that uses it
ETXTBSY: it is a program that runs | end it, or choose another name
EPIPE: its reader is gone | read it to its end
ENXIO: nothing is at its other end | choose a file
ENODEV: there is no such device | choose a file
EINVAL: the system does not accept this | choose another name or place
EAGAIN: the system has no room for it now | try again; end other programs
ENOMEM: memory is used up | end other programs
`);
  });

  it("that nobody caught are no bugs either", () => {
    for (const code of codes)
      expect(said(systemFailure(code, "a"))).toMatchObject({ status: 1, text: expect.not.stringContaining("bug") });
    const write = Object.assign(new Error("EIO: i/o error, write"), { code: "EIO", syscall: "write" });
    expect(line(write)).toBe(
      "a file cannot be written: the disk or network gives an error | check the disk; a network folder may be gone",
    );
    const odd = Object.assign(new Error("EWEIRD: odd, read"), { code: "EWEIRD", syscall: "read", path: "b" });
    expect(line(odd)).toBe("b cannot be read: EWEIRD: odd, read | the system gives no other reason");
  });
});

/** Every class with an error of it, the exit status, and whether it is called a bug. */
const classes: Readonly<Record<string, readonly [status: number, bug: boolean]>> = {
  EigensamError: [1, false],
  ShapeError: [1, false],
  DerivativeError: [1, false],
  LoweringError: [1, false],
  DeviceError: [1, false],
  InputError: [1, false],
  FileError: [1, false],
  ConfigError: [2, false],
  TrainingError: [1, false],
  DataError: [1, false],
  DeclarationError: [1, false],
  BugError: [1, true],
};

describe("classes of errors", () => {
  it("are all in the table", () => expect(Object.keys(errors).sort()).toEqual(Object.keys(classes).sort()));

  it.each(Object.entries(classes))("%s has its exit status, and its text is kept", (name, [status, bug]) => {
    const Class = new Map(Object.entries(errors)).get(name)!;
    const result = said(new Class("x is 3, expected 4", {}, "give 4"));
    expect(result.status).toBe(status);
    expect(result.text.startsWith("x is 3, expected 4\n  hint: give 4")).toBe(true);
    expect(result.text.includes("this is a bug")).toBe(bug);
  });
});

describe("what nothing explains", () => {
  it("is a bug, with what to report", () => {
    expect(said(new TypeError("x is undefined")).text).toBe(
      "x is undefined\n  hint: this is a bug of eigensam; report it with the output of the same command under EIGENSAM_DEBUG=1, and:\n  eigensam 1.2.3, Node.js 20.20.2, linux x64; command: eigensam eval runs/a",
    );
    expect(said("thrown text").text).toContain("thrown text\n  hint: this is a bug");
    expect(said(new Error("x"), ["/p/mine.js"]).text).toContain("a bug of eigensam or of a plugin (/p/mine.js)");
  });

  it("but memory that is used up is none", () => {
    expect(said(new RangeError("Array buffer allocation failed")).text).toMatch(
      /^memory is used up\n {2}hint: lower data\.batch/,
    );
    expect(said(new RangeError("Invalid typed array length: 99")).text).not.toContain("bug");
  });
});

/** Words that ONNX Runtime uses, by kind, and what becomes of them. */
const runtime: Readonly<Record<string, readonly (readonly [reason: string, text: string])[]>> = {
  "out of memory": [
    [
      "Non-zero status code returned while running MatMul node. Name:'m' Status Message: Failed to allocate memory for requested buffer of size 8589934592",
      "memory is used up on device cpu: 8192 MiB more were asked for | lower data.batch, model.width or the number of classes",
    ],
    ["std::bad_alloc", "memory is used up on device cpu | lower data.batch"],
  ],
  "missing provider": [
    [
      "OrtSessionOptionsAppendExecutionProvider_Cuda: Failed to load shared library",
      "device cpu is not available: Ort",
    ],
  ],
  "missing operator": [
    [
      "Could not find an implementation for Conv(11) node with name 'c'",
      "device cpu lacks an operator: Could not find",
    ],
  ],
  "lost device": [
    ["CUDA failure 700: an illegal memory access", "device cpu failed to run the graph: CUDA failure 700"],
  ],
  "invalid graph": [
    [
      "This is an invalid model. Type Error: Type 'tensor(double)'",
      "ONNX Runtime does not run the graph of ours on device cpu: This is an invalid model",
    ],
  ],
};

describe("errors of ONNX Runtime", () => {
  it("are all in the table", () => expect(Object.keys(runtime).sort()).toEqual(Object.keys(ortErrors).sort()));

  it.each(Object.entries(runtime))("%s", (kind, rows) => {
    for (const [reason, text] of rows) {
      const error = ortError(new Error(reason), "cpu", "run the graph");
      expect(line(error)).toContain(text);
      expect(said(error).text.includes("this is a bug")).toBe(kind === "invalid graph");
    }
  });

  it("of no known kind keep their words", () => {
    expect(line(ortError(new Error("odd"), "webgpu", "load the graph"))).toBe(
      "device webgpu cannot load the graph: odd | eigensam doctor checks the device",
    );
  });
});

/** Commander's codes, what it says, and what we say. */
const commander: Readonly<Record<string, readonly (readonly [said: string, text: string])[]>> = {
  "commander.invalidArgument": [
    [
      "error: option '--top <k>' argument 'x' is invalid. is \"x\", expected a number",
      '--top is "x", expected a number | eigensam eval --help lists what it takes',
    ],
    [
      "error: option '-m, --model <name>' argument 'resnet' is invalid. is \"resnet\", expected one of a (Did you mean a?)",
      '--model is "resnet", expected one of a | did you mean a?',
    ],
    [
      "error: command-argument value 'y' is invalid for argument 'action'. is \"y\", expected one of list",
      'action is "y", expected one of list | eigensam eval',
    ],
  ],
  "commander.unknownOption": [
    ["error: unknown option '--pear'\n(Did you mean --peer?)", "there is no option --pear | did you mean --peer?"],
    ["error: unknown option '--nope'", "there is no option --nope | eigensam eval --help lists what it takes"],
  ],
  "commander.unknownCommand": [
    ["error: unknown command 'bnch'\n(Did you mean bench?)", "there is no command bnch | did you mean bench?"],
    ["error: unknown command 'x'", "there is no command x | eigensam --help lists the commands"],
  ],
  "commander.missingArgument": [
    ["error: missing required argument 'runs'", "the argument <runs> is missing | eigensam eval --help"],
  ],
  "commander.optionMissingArgument": [
    ["error: option '--out <dir>' argument missing", "--out needs a value: --out <dir> | eigensam eval --help"],
  ],
  "commander.conflictingOption": [
    [
      "error: option '--suite' cannot be used with option '--model <name>'",
      "--suite and --model cannot be given together | eigensam eval --help",
    ],
  ],
  "commander.excessArguments": [
    [
      "error: too many arguments for 'eval'. Expected 1 argument but got 2.",
      "2 arguments were given, but eval takes 1 at most | eigensam eval --help",
    ],
  ],
};

describe("misuse of the command line", () => {
  it("is all in the table", () => expect(Object.keys(commander).sort()).toEqual(Object.keys(misuses).sort()));

  it.each(Object.entries(commander))("%s", (code, rows) => {
    for (const [message, text] of rows) {
      const error = new CommanderError(1, code, message);
      expect(line(error)).toContain(text);
      expect(said(error).status).toBe(2);
    }
  });
});

describe("what a schema expects", () => {
  it.each([
    [z.number(), "x", "expected a number"],
    [z.int(), 1.5, "expected a whole number"],
    [z.int().min(1), 0, "expected a number of at least 1"],
    [z.number().positive(), 0, "expected a number above 0"],
    [z.number().lt(1), 1, "expected a number below 1"],
    [z.number().max(2), 3, "expected a number of at most 2"],
    [z.number(), Number.NaN, "expected a number"],
    [z.boolean(), "yes", "expected true or false"],
    [z.string(), 3, "expected text"],
    [z.string().min(1), "", "expected at least 1 character"],
    [z.array(z.int()), 3, "expected a list"],
    [z.object({}), [], "expected a table"],
    [z.literal(1), 2, "expected 1"],
    [z.enum(["a", "b"]), "c", "expected one of a, b"],
    [z.union([z.number(), z.string()]), true, "expected a number or text"],
    [z.strictObject({}), { a: 1 }, "there is no a"],
    [z.number().multipleOf(2), 3, "expected a multiple of 2"],
  ])("%#: %3", (schema, value, text) => {
    const { error } = (schema as z.ZodType).safeParse(value);
    expect(expectation(error!.issues[0]!)).toBe(text);
  });
});
