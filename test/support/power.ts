/**
 * What a disk has for good, and what it may lose when the power fails. The model is as strict as POSIX allows: a file's bytes are safe
 * after its fsync, a name (of a new, renamed or removed file or folder) after the fsync of the folder that it is in.
 */
import type fs from "node:fs";
import type { CopySyncOptions, MakeDirectoryOptions, PathLike } from "node:fs";
import { dirname, join, resolve } from "node:path";

export const operations = ["open", "write", "truncate", "fsync", "rename", "remove", "mkdir", "link", "copy"] as const;

export type Operation = (typeof operations)[number];

type Fs = typeof fs;

/** Does `act`, or fails in its place; `part` does as much of it as an interrupted call would. */
export type Step = <T>(op: Operation, path: string, act: () => T, part?: () => T) => T;

export interface Disk {
  /** Patches node:fs: every operation that changes something goes through `step`; `part` shortens a write. */
  patch(step: Step, part: (length: number) => number): void;
  /** Undoes a random part of what was not synced. */
  loseUnsynced(seed: number): void;
  restore(): void;
}

/** A file that was written: a descriptor of ours, which outlives renames, and the bytes that are safe. */
interface Written {
  readonly mirror: number;
  safe: Buffer;
  dirty: boolean;
}

export function diskOf(target: Fs, within: (path: string) => boolean): Disk {
  const real = { ...target };
  // Both load parts of Node.js at their first call, which would keep patched functions for good.
  unlessGone(() => real.cpSync(NOWHERE, `${NOWHERE}2`));
  real.rmSync(NOWHERE, { recursive: true, force: true });
  const files = new Map<string, Written>();
  /** Descriptors of the process, and what they were opened by. */
  const open = new Map<number, string>();
  /** By folder, how to take back each change of names since it was synced, oldest first. */
  const names = new Map<string, (() => void)[]>();
  const patched: Partial<Record<keyof Fs, unknown>> = {};

  const keyOf = (fd: number): string => {
    const { dev, ino } = real.fstatSync(fd);
    return `${dev}:${ino}`;
  };
  const pathOf = (path: PathLike): string => resolve(String(path));
  const bytesAt = (path: string): Buffer | undefined =>
    real.statSync(path, { throwIfNoEntry: false })?.isFile() ? real.readFileSync(path) : undefined;
  const bytesOf = (fd: number): Buffer => {
    const bytes = Buffer.alloc(real.fstatSync(fd).size);
    real.readSync(fd, bytes, 0, bytes.length, 0);
    return bytes;
  };
  const remove = (path: string): void => real.rmSync(path, { recursive: true, force: true });

  const changesName = (path: string, undo: () => void): void => {
    const folder = dirname(path);
    if (within(path)) names.set(folder, [...(names.get(folder) ?? []), undo]);
  };
  const changesBytes = (path: string, safe: Buffer): void => {
    const mirror = real.openSync(path, "r+");
    const key = keyOf(mirror);
    const known = files.get(key);
    if (known) {
      known.dirty = true;
      real.closeSync(mirror);
    } else files.set(key, { mirror, safe, dirty: true });
  };
  /** A call that makes, empties or opens for writing the file at `path`. */
  const making = <T>(path: string, act: () => T): T => {
    const before = bytesAt(path);
    const result = act();
    if (!within(path)) return result;
    if (before === undefined) changesName(path, () => remove(path));
    changesBytes(path, before ?? Buffer.alloc(0));
    return result;
  };

  function patch(step: Step, part: (length: number) => number): void {
    patched.openSync = (at: PathLike, flags: string | number = "r", mode?: number) => {
      const path = pathOf(at);
      const act = () => {
        const fd = real.openSync(at, flags, mode);
        if (within(path)) open.set(fd, path);
        return fd;
      };
      const { O_WRONLY, O_RDWR } = real.constants;
      const writes = typeof flags === "number" ? (flags & (O_WRONLY | O_RDWR)) !== 0 : /[wa+]/.test(flags);
      return writes ? step("open", path, () => making(path, act)) : act();
    };
    patched.closeSync = (fd: number) => {
      open.delete(fd);
      real.closeSync(fd);
    };
    patched.writeSync = (fd: number, data: Uint8Array, offset = 0, length?: number, position?: number | null) => {
      const path = open.get(fd);
      const size = length ?? data.length - offset;
      const write = (bytes: number) => () => {
        const file = path === undefined ? undefined : files.get(keyOf(fd));
        if (file) file.dirty = true;
        return real.writeSync(fd, data, offset, bytes, position);
      };
      return path === undefined ? write(size)() : step("write", path, write(size), write(part(size)));
    };
    for (const name of ["writeFileSync", "appendFileSync"] as const)
      patched[name] = (at: PathLike, ...rest: [never]) =>
        step("write", pathOf(at), () => making(pathOf(at), () => real[name](at, ...rest)));
    patched.ftruncateSync = (fd: number, length?: number) =>
      step("truncate", open.get(fd) ?? "", () => {
        const file = files.get(keyOf(fd));
        if (file) file.dirty = true;
        real.ftruncateSync(fd, length);
      });
    patched.fsyncSync = (fd: number) => {
      const path = open.get(fd);
      step("fsync", path ?? "", () => {
        // What is safe is told here; asking the real disk would only take time.
        if (path === undefined) return real.fsyncSync(fd);
        names.delete(path);
        const file = files.get(keyOf(fd));
        if (file) Object.assign(file, { safe: bytesOf(file.mirror), dirty: false });
      });
    };
    patched.renameSync = (from: PathLike, to: PathLike) => {
      const [source, path] = [pathOf(from), pathOf(to)];
      step("rename", path, () => {
        const replaced = bytesAt(path);
        real.renameSync(from, to);
        changesName(path, () => {
          real.renameSync(path, source);
          if (replaced) real.writeFileSync(path, replaced);
        });
      });
    };
    patched.mkdirSync = (at: PathLike, options?: MakeDirectoryOptions) => {
      const path = pathOf(at);
      return step("mkdir", path, () => {
        const there = real.existsSync(path);
        const result = real.mkdirSync(at, options);
        if (!there) changesName(path, () => remove(path));
        return result;
      });
    };
    patched.linkSync = (from: PathLike, to: PathLike) =>
      step("link", pathOf(to), () => {
        real.linkSync(from, to);
        changesName(pathOf(to), () => remove(pathOf(to)));
      });
    patched.cpSync = (from: string, to: string, options?: CopySyncOptions) =>
      step("copy", pathOf(to), () => {
        real.cpSync(from, to, options);
        const inside = real
          .readdirSync(to, { recursive: true, encoding: "utf8" })
          .map((name) => join(pathOf(to), name));
        for (const path of inside) {
          changesName(path, () => remove(path));
          if (real.statSync(path).isFile()) changesBytes(path, Buffer.alloc(0));
        }
      });
    for (const name of ["rmSync", "unlinkSync", "rmdirSync"] as const)
      patched[name] = (at: PathLike, ...rest: [never]) => {
        const path = pathOf(at);
        const act = () => (real[name] as (path: PathLike, ...rest: [never]) => void)(at, ...rest);
        if (!real.existsSync(path)) return act();
        return step("remove", path, () => {
          const bytes = bytesAt(path);
          act();
          changesName(path, () => (bytes ? real.writeFileSync(path, bytes) : real.mkdirSync(path)));
        });
      };
    Object.assign(target, patched);
  }

  function loseUnsynced(seed: number): void {
    const random = randomOf(seed);
    for (const { mirror, safe, dirty } of files.values()) {
      if (!dirty) continue;
      const bytes = torn(safe, bytesOf(mirror), random);
      real.ftruncateSync(mirror, bytes.length);
      real.writeSync(mirror, bytes, 0, bytes.length, 0);
    }
    for (const undos of names.values()) {
      const kept = Math.floor(random() * (undos.length + 1));
      for (const undo of undos.slice(kept).reverse()) unlessGone(undo);
    }
  }

  return {
    patch,
    loseUnsynced,
    restore: () => {
      for (const name of Object.keys(patched) as (keyof Fs)[]) Object.assign(target, { [name]: real[name] });
      for (const { mirror } of files.values()) real.closeSync(mirror);
    },
  };
}

const NOWHERE = "/nonexistent/eigensam";

/** Taking back one change may have removed the folder of another. */
function unlessGone(act: () => void): void {
  try {
    act();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

/** Bytes that were not synced: the old ones, the new ones, or new ones up to some place and then old ones or rubbish. */
function torn(safe: Buffer, now: Buffer, random: () => number): Buffer {
  const choice = random();
  if (choice < 1 / 3) return safe;
  if (choice < 2 / 3) return now;
  const length = random() < 0.5 ? safe.length : now.length;
  const cut = Math.floor(random() * (length + 1));
  const rubbish = random() < 0.5 ? 0 : Math.floor(random() * 256);
  return Buffer.from(Uint8Array.from({ length }, (_, i) => (i < cut ? now[i] : undefined) ?? safe[i] ?? rubbish));
}

/** Mulberry32. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
