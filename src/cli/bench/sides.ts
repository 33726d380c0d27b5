import { computeEnvironment } from "../allocator.ts";
import { ChildError, type LineChild, startLineChild } from "../line-child.ts";
import { pluginArguments } from "../plugins.ts";
import { inPackage, moduleExtension, nodeArguments } from "../../util/package.ts";
import type { Ready } from "./worker.ts";
import type { WorkloadOptions } from "./workload.ts";

export interface Side<R> {
  readonly child: LineChild;
  readonly ready: R;
}

export type Layout = "nchw" | "nhwc";

export interface PeerReady {
  readonly side: string;
  readonly layout: Layout;
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

export function startOurs(options: WorkloadOptions): Promise<Side<Ready>> {
  const module = new URL(`./worker${moduleExtension}`, import.meta.url);
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
  layout: Layout,
  { model, method, width, batch, size, channels, classes, threads }: WorkloadOptions,
): Promise<Side<PeerReady>> {
  const numbers = Object.entries({ width, batch, size, channels, classes, threads });
  // A core type that helps this machine's NumPy can slow PyTorch down; it chooses better by itself.
  const { OPENBLAS_CORETYPE: _, ...env } = environment(threads);
  const child = startLineChild({
    name: `PyTorch (${method}, ${layout})`,
    command: python,
    args: [
      inPackage("bench/torch_peer.py"),
      ...["--model", model, "--method", method],
      ...numbers.flatMap(([name, value]) => [`--${name}`, String(value)]),
      ...(layout === "nhwc" ? ["--channels-last"] : []),
    ],
    env,
  });
  try {
    return await ready(child);
  } catch (error) {
    throw error instanceof ChildError ? explained(error, python) : error;
  }
}

function explained(error: ChildError, python: string): ChildError {
  if (!error.data.started)
    return new ChildError(
      error.message,
      error.data,
      `on Debian: apt install python3 python3-torch; another interpreter than ${python}: --python PATH`,
    );
  const choice = /argument (--\S+): invalid choice: '(.*)' \(choose from (.*)\)/.exec(error.data.stderr);
  if (choice) {
    const [, option, got, allowed] = choice;
    return new ChildError(`--peer: got ${option} ${got}, expected ${allowed} for the PyTorch side`, error.data);
  }
  if (/No module named '(torch|numpy)'/.test(error.data.stderr))
    return new ChildError(
      `--peer: ${python} has no PyTorch`,
      error.data,
      "on Debian: apt install python3-torch; another interpreter: --python PATH",
    );
  if (/No such file|No module named 'torch_resnet'/.test(error.data.stderr))
    return new ChildError(error.message, error.data, "--peer works in a clone of the repository, not in the package");
  return error;
}
