import { fstatSync, readFileSync, readSync, type Stats, statSync } from "node:fs";
import { homedir } from "node:os";
import { basename, join } from "node:path";

/**
 * Whether hangups are to be ignored. Node.js gives every signal its default before it runs any of our code, so what was ignored
 * at the start can no longer be asked of this process; it is read from what ignored it: nohup, by the name that a shell leaves
 * in `_` or by what it does to streams, or a parent that ignores hangups itself (a script under nohup; Linux only).
 */
export const hangupIgnored = (): boolean =>
  process.env.EIGENSAM_HANGUP === "ignored" ||
  basename(process.env._ ?? "") === "nohup" ||
  redirectedByNohup() ||
  ignoredByParent();

/** nohup sends output that would go to a terminal to nohup.out, and gives an input from one that cannot be read. */
function redirectedByNohup(): boolean {
  const outputs = [1, 2].map((file) => known(() => fstatSync(file)));
  const files = [process.cwd(), homeFolder()].map((folder) => known(() => statSync(join(folder, "nohup.out"))));
  return outputs.some((output) => files.some((file) => same(output, file))) || inputCannotBeRead();
}

const same = (one: Stats | undefined, other: Stats | undefined): boolean =>
  one !== undefined && other !== undefined && one.dev === other.dev && one.ino === other.ino;

/** Whether the standard input is /dev/null opened for writing, as GNU nohup leaves it. Nothing else is read from. */
function inputCannotBeRead(): boolean {
  if (
    !same(
      known(() => fstatSync(0)),
      known(() => statSync("/dev/null")),
    )
  )
    return false;
  try {
    readSync(0, new Uint8Array(1));
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EBADF";
  }
}

function ignoredByParent(): boolean {
  const status = known(() => readFileSync(`/proc/${process.ppid}/status`, "utf8")) ?? "";
  const ignored = /^SigIgn:\s*([0-9a-f]+)/m.exec(status)?.[1];
  return (Number.parseInt(ignored?.slice(-1) ?? "0", 16) & 1) === 1;
}

/** Without HOME and an entry in passwd there is none. */
const homeFolder = (): string => known(homedir) ?? "";

function known<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
