import { randomUUID } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { connect, createServer } from "node:net";
import { hostname } from "node:os";

/** Something of a process that others can see, and that ends with it however it ends. */
export interface Lifeline {
  /** What others must know to ask. */
  readonly where: { readonly place: string; readonly lifeline: string };
  end(): void;
}

/**
 * Opens a socket that the system closes when this process dies: whether a process lives is then no question of its number, which
 * other namespaces do not see and later processes may have again, nor of its user or of the name of its machine. The kernel answers
 * for it even while it computes or is suspended. Undefined where there are no such sockets (they are Linux's).
 */
export async function openLifeline(): Promise<Lifeline | undefined> {
  const place = placeHere();
  if (place === undefined) return undefined;
  const lifeline = `eigensam-${randomUUID()}`;
  const server = createServer((socket) => socket.destroy()).unref();
  const open = await new Promise<boolean>((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(abstract(lifeline), () => resolve(true));
  });
  return open ? { where: { place, lifeline }, end: () => server.close() } : undefined;
}

interface Asked {
  readonly pid?: number;
  readonly host?: string;
  readonly place?: string | undefined;
  readonly lifeline?: string | undefined;
}

/** Whether the process behind a lifeline lives; undefined where it cannot be asked from here. */
export async function answers({ pid, host, place, lifeline }: Asked): Promise<boolean | undefined> {
  const here = placeHere();
  if (lifeline !== undefined && place !== undefined && place === here)
    return new Promise((resolve) => {
      const socket = connect(abstract(lifeline));
      const answer = (alive: boolean) => {
        socket.destroy();
        resolve(alive);
      };
      socket.once("connect", () => answer(true));
      // Refused: nobody listens. Any other error, as of a full queue, is of one who does.
      socket.once("error", ({ code }: NodeJS.ErrnoException) => answer(code !== "ECONNREFUSED"));
    });
  // Systems without such sockets have one space of process numbers; a number in use may be another process's.
  if (here === undefined && place === undefined && pid !== undefined && host === hostname() && isFree(pid))
    return false;
  return undefined;
}

/** An abstract address: a name in the network namespace, without a file. */
const abstract = (name: string): string => `\0${name}`;

/** This boot of this kernel, and the network namespace: where an abstract address means the same. */
function placeHere(): string | undefined {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${boot} ${readlinkSync("/proc/self/ns/net")}`;
  } catch {
    return undefined;
  }
}

function isFree(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}
