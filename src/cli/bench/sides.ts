import { computeEnvironment } from "../allocator.ts";
import { ChildError, type LineChild, startLineChild } from "../line-child.ts";
import { pluginArguments } from "../plugins.ts";
import { inPackage, moduleExtension, nodeArguments } from "../../util/package.ts";
import { type Layout, type Peer, type PeerName, peers } from "./peers.ts";
import type { Ready } from "./worker.ts";
import type { WorkloadOptions } from "./workload.ts";

export interface Side<R> {
  readonly child: LineChild;
  readonly ready: R;
}

export interface PeerReady {
  readonly side: string;
  readonly layout: Layout;
  /** Seconds of the warm-up step, compilation included. */
  readonly firstStepS: number;
  readonly peakMiB: number;
}

/** Starts one side and waits for its warm-up step. */
async function ready<R>(child: LineChild): Promise<Side<R>> {
  return { child, ready: await child.next<R>() };
}

const environment = (threads: number): NodeJS.ProcessEnv => ({
  ...computeEnvironment(),
  OMP_NUM_THREADS: String(threads),
});

/** Ours, or that of another build by its worker. */
export function startOurs(
  options: WorkloadOptions,
  module = new URL(`./worker${moduleExtension}`, import.meta.url),
): Promise<Side<Ready>> {
  return ready(
    startLineChild({
      name: `the bench worker (${options.method})`,
      command: process.execPath,
      args: ["--expose-gc", ...nodeArguments(module), JSON.stringify(options), ...pluginArguments()],
      env: environment(options.threads),
    }),
  );
}

export async function startPeer(
  python: string,
  name: PeerName,
  layout: Layout,
  { model, method, width, depth, batch, size, channels, classes, threads }: WorkloadOptions,
): Promise<Side<PeerReady>> {
  const peer: Peer = peers[name];
  const numbers = Object.entries({ width, depth: depth ?? 0, batch, size, channels, classes, threads });
  // A core type that helps this machine's NumPy can slow PyTorch down; it chooses better by itself.
  const { OPENBLAS_CORETYPE: _, ...env } = environment(threads);
  const child = startLineChild({
    name: `${peer.title} (${method}, ${layout})`,
    command: python,
    args: [
      inPackage(`bench/${peer.script}`),
      ...peer.args,
      ...["--model", model, "--method", method, "--layout", layout],
      ...numbers.flatMap(([name, value]) => [`--${name}`, String(value)]),
    ],
    env,
  });
  try {
    return await ready(child);
  } catch (error) {
    throw error instanceof ChildError ? explained(error, python, peer) : error;
  }
}

function explained(error: ChildError, python: string, { title, packages }: Peer): ChildError {
  if (!error.data.started)
    return new ChildError(
      error.message,
      error.data,
      `on Debian: apt install python3 python3-torch; another interpreter than ${python}: --python PATH`,
    );
  const missing = /No module named '([^'.]+)/.exec(error.data.stderr)?.[1];
  if (missing !== undefined && packages.includes(missing))
    return new ChildError(
      `--peer: ${python} has no ${missing}, which ${title} needs`,
      error.data,
      `python3 -m venv peers && peers/bin/pip install ${packages.join(" ")}; then --python peers/bin/python`,
    );
  if (/No such file|No module named '(torch_(resnet|models)|peer_protocol)'/.test(error.data.stderr))
    return new ChildError(error.message, error.data, "--peer works in a clone of the repository, not in the package");
  return error;
}
