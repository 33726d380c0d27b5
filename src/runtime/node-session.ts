import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MessageChannel } from "node:worker_threads";
import * as ort from "onnxruntime-node";
import { dtypes } from "../util/dtype.ts";
import { DeviceError, InputError } from "../util/errors.ts";
import { type Device, deviceHints } from "./device.ts";
import { ortError } from "./ort-errors.ts";
import { readProfile } from "./profile.ts";
import type { Port, Session, SessionFactory, SessionOptions, TypedArray } from "./session.ts";

/**
 * Names of the execution providers that the installed build of onnxruntime-node has.
 *
 * @example
 * ```ts
 * console.log(availableProviders().includes("cpu")); // true
 * ```
 */
export const availableProviders = (): string[] => ort.listSupportedBackends().map(({ name }) => name);

/** The version of ONNX Runtime. */
export const ortVersion: string = ort.env.versions.node ?? ort.env.versions.common;

// What fails is thrown as well, and said once.
ort.env.logLevel = "fatal";

/** Sessions of onnxruntime-node on one device. */
export const nodeSessions =
  (device: Device): SessionFactory =>
  async (model, inputs, outputs, options) => {
    if (!availableProviders().includes(device))
      throw new DeviceError(
        `device ${device} is not available: onnxruntime-node ${ortVersion} here offers ${availableProviders().join(", ")}`,
        { device },
        deviceHints[device],
      );
    const prefix = options.profile ? join(mkdtempSync(join(tmpdir(), "eigensam-")), "profile") : undefined;
    try {
      const session = await ort.InferenceSession.create(model, sessionOptions(device, options, prefix));
      return nodeSession(session, device, inputs, outputs, prefix);
    } catch (cause) {
      throw ortError(cause, device, "load the graph");
    }
  };

/**
 * The graph arrives simplified and in a good order, so ONNX Runtime's own rewriting is off: its sharing of common
 * subexpressions would keep what we make again on purpose. The memory pattern is off because it takes twice the memory.
 */
const sessionOptions = (
  device: Device,
  { threads, arena = true }: SessionOptions,
  profilePrefix: string | undefined,
) => ({
  executionProviders: device === "cpu" ? ["cpu"] : [device, "cpu"],
  intraOpNumThreads: threads,
  interOpNumThreads: 1,
  executionMode: "sequential" as const,
  graphOptimizationLevel: "disabled" as const,
  enableMemPattern: false,
  enableCpuMemArena: arena,
  logSeverityLevel: 3 as const,
  ...(profilePrefix === undefined ? {} : { enableProfiling: true, profileFilePrefix: profilePrefix }),
});

const nodeSession = (
  session: ort.InferenceSession,
  device: Device,
  inputs: readonly Port[],
  outputs: readonly Port[],
  profilePrefix: string | undefined,
): Session => ({
  run: async (feeds, fetches) => {
    const [given, wanted] = [tensors(inputs, feeds), tensors(outputs, fetches)];
    try {
      dropCopies(await session.run(given, wanted), outputs, fetches);
    } catch (cause) {
      throw ortError(cause, device, "run the graph");
    }
  },
  profile: () => {
    if (profilePrefix === undefined) throw new InputError("this executable was compiled without `profile: true`");
    session.endProfiling();
    return readProfile(profilePrefix);
  },
  release: () => session.release(),
});

/** Nobody listens: what is transferred here is freed at once. */
const { port1: nowhere, port2: unused } = new MessageChannel();
unused.close();

/**
 * onnxruntime-node writes outputs to the arrays it is given, and copies each to a new array that it returns. Left to the garbage
 * collector those pile up, and each is made of fresh pages, which costs more than the copy; freed at once, the next takes the same memory.
 */
function dropCopies(
  results: ort.InferenceSession.ReturnType,
  outputs: readonly Port[],
  fetches: Readonly<Record<string, TypedArray>>,
): void {
  for (const { name } of outputs) {
    const { buffer } = results[name]!.data as TypedArray;
    if (buffer instanceof ArrayBuffer && buffer !== fetches[name]!.buffer) nowhere.postMessage(null, [buffer]);
  }
}

/** The caller's arrays as ONNX Runtime's tensors; no copies. */
const tensors = (ports: readonly Port[], arrays: Readonly<Record<string, TypedArray>>) =>
  Object.fromEntries(
    ports.map(({ name, shape, dtype }) => [name, new ort.Tensor(dtypes[dtype].ort, arrays[name]!, shape)]),
  );
