import { randomUUID } from "node:crypto";
import { closeSync, fstatSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { ConfigError, TrainingError } from "../util/errors.ts";
import { makeFolder, writeAtomic } from "../util/files.ts";
import { runFiles } from "./files.ts";
import { answers, type Lifeline, openLifeline } from "./lifeline.ts";

/** What a process writes of itself where it claims a run. */
const holderSchema = z.object({
  pid: z.int(),
  host: z.string(),
  /** Where its lifeline can be asked, and the name of it; absent where there is none. */
  place: z.string().optional(),
  lifeline: z.string().optional(),
  released: z.boolean(),
});

type Holder = z.output<typeof holderSchema>;

/** The right of this process to write a run, until it is released or the process ends. */
export interface Claim {
  /** Whether no other process has taken the run over. */
  held(): boolean;
  /** Throws a TrainingError where one has. */
  assertHeld(): void;
  /** Gives the run back; where it is complete, or has not begun, no trace of claims stays. */
  release(clean: boolean): void;
}

/** Times in milliseconds. */
export interface ClaimOptions {
  /** Between signs of life of the holder. */
  readonly beat?: number;
  /** Without a sign of life after which a holder that cannot be asked counts as dead. */
  readonly silence?: number;
  /** Called once where a holder cannot be asked, before its signs of life are waited for. */
  readonly onWait?: ((message: string) => void) | undefined;
}

/**
 * Makes this process the only one that writes a run. Claims are files with rising numbers, each made once, after the holder of the one
 * before was found dead or done, so that of several processes one wins. The newest is removed by the next alone: a slow process must
 * not find its number free again. Whether a holder lives is asked of its lifeline; where that cannot be reached, on another machine
 * or in another container, its signs of life in the file decide.
 * @throws ConfigError where another process is at work on the run
 */
export async function claimRun(run: string, options: ClaimOptions = {}): Promise<Claim> {
  const { beat = 5000, silence = 60_000, onWait } = options;
  const folder = runFiles(run).claims;
  const lifeline = await openLifeline();
  const self: Holder = { pid: process.pid, host: hostname(), ...lifeline?.where, released: false };
  try {
    for (;;) {
      makeFolder(folder);
      const newest = numbersIn(folder).at(-1) ?? 0;
      const before = newest === 0 ? undefined : await atWork(join(folder, String(newest)), { beat, silence, onWait });
      if (before) throw inUse(run, before);
      if (!make(folder, newest + 1, self)) continue;
      // Several claims may have come and gone since the folder was read.
      if (numbersIn(folder).at(-1) === newest + 1) return heldClaim(run, newest + 1, self, lifeline, beat);
    }
  } catch (error) {
    lifeline?.end();
    throw error;
  }
}

/**
 * Who is at work on a run, as far as it is known, without waiting: where a holder cannot be asked, it counts as living as long as
 * its last sign of life is younger than `silence`. Undefined where nobody is.
 */
export async function holderOf(
  run: string,
  silence = 60_000,
): Promise<Partial<Pick<Holder, "pid" | "host">> | undefined> {
  const folder = runFiles(run).claims;
  const newest = numbersIn(folder).at(-1);
  const found = newest === undefined ? undefined : look(join(folder, String(newest)));
  if (found === undefined || found.holder?.released) return undefined;
  const holder = found.holder ?? {};
  const alive = (await answers(holder)) ?? Date.now() - found.changed < silence;
  return alive ? holder : undefined;
}

function heldClaim(run: string, number: number, self: Holder, lifeline: Lifeline | undefined, beat: number): Claim {
  const folder = runFiles(run).claims;
  const path = join(folder, String(number));
  for (const old of numbersIn(folder)) if (old < number) rmSync(join(folder, String(old)), { force: true });
  // Written over in place, so that the clock of the folder, and not of this machine, dates it.
  const timer = setInterval(() => quietly(() => writeOver(path, self)), beat).unref();
  const held = () => numbersIn(folder).at(-1) === number;
  return {
    held,
    assertHeld: () => {
      if (held()) return;
      const hint =
        "this process was silent for too long, or claims were removed; the run goes on from its newest checkpoint";
      throw new TrainingError(`${run} was taken over by another process`, { run }, hint);
    },
    release: (clean) => {
      clearInterval(timer);
      // The end of the lifeline says the same, so that a full disk or a folder that is gone does no harm.
      quietly(() => {
        if (clean) rmSync(folder, { recursive: true, force: true });
        else if (held()) writeAtomic(path, textOf({ ...self, released: true }));
      });
      lifeline?.end();
    },
  };
}

const inUse = (run: string, { pid, host }: Partial<Holder>): ConfigError => {
  const here = host === hostname();
  const message =
    pid === undefined
      ? `another process is at work on ${run}`
      : pid === process.pid && here
        ? `${run} is in use by this process already`
        : `process ${pid}${here ? "" : ` of ${host}`} is at work on ${run}`;
  const hint = pid === process.pid && here ? "wait for its run to end" : "stop it first";
  return new ConfigError(message, { run, pid, host }, hint);
};

const textOf = (self: Holder): string => `${JSON.stringify(self)}\n`;

/** Makes a claim; false where its number is taken, or the folder was removed with a run that is complete. */
function make(folder: string, number: number, self: Holder): boolean {
  try {
    const file = openSync(join(folder, String(number)), "wx");
    try {
      writeSync(file, textOf(self));
    } finally {
      closeSync(file);
    }
    return true;
  } catch (error) {
    if (["EEXIST", "ENOENT"].includes((error as NodeJS.ErrnoException).code ?? "")) return false;
    throw error;
  }
}

/** The claims of a run; none where the folder is not there, as after a run that was completed or taken back meanwhile. */
function numbersIn(folder: string): number[] {
  try {
    const names = readdirSync(folder).filter((name) => /^[1-9]\d*$/.test(name));
    return names.map(Number).sort((a, b) => a - b);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** The holder of a claim where it is at work, as far as it is known; undefined where it is dead or done. */
async function atWork(
  path: string,
  { beat, silence, onWait }: ClaimOptions & { readonly beat: number; readonly silence: number },
): Promise<Partial<Holder> | undefined> {
  const first = look(path);
  if (first === undefined || first.holder?.released) return undefined;
  const holder: Partial<Holder> = first.holder ?? {};
  const alive = await answers(holder);
  if (alive !== undefined) return alive ? holder : undefined;
  // By the clock of the folder; one that was set back makes it wait.
  if (clockOf(path) - first.changed > silence) return undefined;
  const who = holder.pid === undefined ? "another process" : `process ${holder.pid} of ${holder.host}`;
  onWait?.(`${who} may be at work here; waiting up to ${Math.ceil(silence / 1000)} s for a sign of its life`);
  for (const end = performance.now() + silence; performance.now() < end; await sleep(beat / 5)) {
    const now = look(path);
    if (now === undefined || now.holder?.released) return undefined;
    if (now.changed !== first.changed) return now.holder ?? holder;
  }
  return undefined;
}

/** A claim and when it was last written; its holder is unknown while it is being written, or where it is damaged. */
function look(path: string): { readonly holder?: Holder; readonly changed: number } | undefined {
  try {
    // Opened anew each time: a network folder then asks its server.
    const file = openSync(path, "r");
    try {
      const { data } = holderSchema.safeParse(parsed(readFileSync(file, "utf8")));
      return { ...(data ? { holder: data } : {}), changed: fstatSync(file).mtimeMs };
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The time of the machine that keeps the folder of a file. */
function clockOf(path: string): number {
  const probe = `${path}.${randomUUID()}.tmp`;
  const file = openSync(probe, "wx");
  try {
    writeSync(file, "\n");
    return fstatSync(file).mtimeMs;
  } finally {
    closeSync(file);
    rmSync(probe, { force: true });
  }
}

function writeOver(path: string, self: Holder): void {
  const file = openSync(path, "r+");
  try {
    writeSync(file, textOf(self), 0);
  } finally {
    closeSync(file);
  }
}

/** Does what may fail without harm. */
function quietly(work: () => void): void {
  try {
    work();
  } catch {
    // See the caller.
  }
}
