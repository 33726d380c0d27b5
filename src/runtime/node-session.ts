import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import type { DType } from "../graph/tensor.ts";
import { DeviceError, InputError } from "../util/errors.ts";
import { showShape } from "../util/shape.ts";
import type { Device } from "./device.ts";
import { readProfile } from "./profile.ts";
import type { Port, Session, SessionFactory, SessionOptions, TypedArray } from "./session.ts";

const ortType: Readonly<Record<DType, ort.Tensor.Type>> = {
  f32: "float32",
  f64: "float64",
  i32: "int32",
  u8: "uint8",
  bool: "bool",
};

/**
 * Names of the execution providers that the installed build of onnxruntime-node has.
 *
 * @example
 * ```ts
 * console.log(availableProviders().includes("cpu")); // true
 * ```
 */
export const availableProviders = (): string[] => ort.listSupportedBackends().map(({ name }) => name);

export const ortVersion: string = ort.env.versions.node ?? ort.env.versions.common;

const missing: Readonly<Record<Device, string>> = {
  cpu: "reinstall onnxruntime-node: its CPU provider is always part of it",
  webgpu: "needs a GPU with a Vulkan, Metal or Direct3D 12 driver; `eigensam doctor` lists the devices found",
  cuda: "needs an NVIDIA GPU with CUDA 12, and its libraries: `eigensam doctor --install-cuda`",
};

/** Sessions of onnxruntime-node on one device. */
export const nodeSessions =
  (device: Device): SessionFactory =>
  async (model, inputs, outputs, options) => {
    if (!availableProviders().includes(device))
      throw new DeviceError(
        `device ${device} is not available: onnxruntime-node ${ortVersion} here offers ${availableProviders().join(", ")}`,
        { device },
        missing[device],
      );
    const prefix = options.profile ? join(mkdtempSync(join(tmpdir(), "eigensam-")), "profile") : undefined;
    try {
      const session = await ort.InferenceSession.create(model, sessionOptions(device, options, prefix));
      return new NodeSession(session, inputs, outputs, prefix);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new DeviceError(`device ${device} could not load the graph: ${reason}`, { device }, missing[device]);
    }
  };

/**
 * The graph arrives simplified and in a good order, so ONNX Runtime's own rewriting is off: its sharing of common
 * subexpressions would keep what we make again on purpose. The memory pattern is off because it takes twice the memory.
 */
const sessionOptions = (device: Device, { threads }: SessionOptions, profilePrefix: string | undefined) => ({
  executionProviders: device === "cpu" ? ["cpu"] : [device, "cpu"],
  intraOpNumThreads: threads,
  interOpNumThreads: 1,
  executionMode: "sequential" as const,
  graphOptimizationLevel: "disabled" as const,
  enableMemPattern: false,
  logSeverityLevel: 3 as const,
  ...(profilePrefix === undefined ? {} : { enableProfiling: true, profileFilePrefix: profilePrefix }),
});

class NodeSession implements Session {
  private readonly session: ort.InferenceSession;
  private readonly inputs: readonly Port[];
  private readonly outputs: readonly Port[];
  private readonly prefix: string | undefined;

  constructor(session: ort.InferenceSession, inputs: readonly Port[], outputs: readonly Port[], prefix?: string) {
    this.session = session;
    this.inputs = inputs;
    this.outputs = outputs;
    this.prefix = prefix;
  }

  async run(
    inputs: Readonly<Record<string, TypedArray>>,
    outputs: Readonly<Record<string, TypedArray>>,
  ): Promise<void> {
    const feeds = Object.fromEntries(this.inputs.map((port) => [port.name, wrap(port, inputs[port.name])]));
    const fetches = Object.fromEntries(this.outputs.map((port) => [port.name, wrap(port, outputs[port.name])]));
    await this.session.run(feeds, fetches);
  }

  profile() {
    if (this.prefix === undefined) throw new InputError("this executable was compiled without `profile: true`");
    this.session.endProfiling();
    return readProfile(this.prefix);
  }

  release(): Promise<void> {
    return this.session.release();
  }
}

/** A view of the caller's array as ONNX Runtime's tensor; no copy. */
function wrap(port: Port, data: TypedArray | undefined): ort.Tensor {
  const size = port.shape.reduce((a, b) => a * b, 1);
  if (data === undefined || data.length !== size)
    throw new InputError(
      `${port.name}: ${data === undefined ? "missing" : `${data.length} numbers`}, expected ${size} for ${port.dtype} ${showShape(port.shape)}`,
      { name: port.name, shape: port.shape },
    );
  try {
    return new ort.Tensor(ortType[port.dtype], data as Float32Array, port.shape);
  } catch {
    throw new InputError(`${port.name}: a ${data.constructor.name}, expected ${port.dtype} ${showShape(port.shape)}`, {
      name: port.name,
      dtype: port.dtype,
    });
  }
}
