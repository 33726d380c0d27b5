import { BugError, DeviceError, type EigensamError } from "../util/errors.ts";
import { type Device, deviceHints } from "./device.ts";

/** What ONNX Runtime was doing. */
type Work = "load the graph" | "run the graph";

interface Kind {
  /** Words of its messages, which have no codes. */
  readonly says: RegExp;
  error(device: Device, reason: string, work: Work): EigensamError;
}

const LESS = "lower data.batch, model.width or the number of classes; eigensam train --dry-run shows the memory";

/** The kinds of its errors that differ in what to do next; the first that fits counts. */
export const ortErrors = {
  "out of memory": {
    says: /bad.?alloc|failed to allocate|out of memory|OOM|cudaErrorMemoryAllocation|cannot allocate/i,
    error: (device, reason) => {
      const bytes = Number(/requested buffer of size (\d+)/.exec(reason)?.[1]);
      const asked = bytes > 0 ? `: ${Math.ceil(bytes / 2 ** 20)} MiB more were asked for` : "";
      return new DeviceError(`memory is used up on device ${device}${asked}`, { device, reason }, LESS);
    },
  },
  "missing provider": {
    says: /backend not found|not available for .*backend|failed to load .*library|libonnxruntime_providers|cannot open shared object|no available backend/i,
    error: (device, reason) =>
      new DeviceError(`device ${device} is not available: ${reason}`, { device }, deviceHints[device]),
  },
  "missing operator": {
    says: /could not find an implementation|NOT_IMPLEMENTED|not a registered function/i,
    error: (device, reason) =>
      new DeviceError(`device ${device} lacks an operator: ${reason}`, { device }, "choose device=cpu"),
  },
  "lost device": {
    says: /device.{0,20}lost|CUDA (error|failure)|CUBLAS|CUDNN/i,
    error: (device, reason, work) =>
      new DeviceError(`device ${device} failed to ${work}: ${reason}`, { device }, "check the driver: eigensam doctor"),
  },
  "invalid graph": {
    says: /INVALID_GRAPH|INVALID_PROTOBUF|invalid model|protobuf parsing|shape ?inference|type error|Invalid rank|INVALID_ARGUMENT/i,
    error: (device, reason, work) =>
      new BugError(`ONNX Runtime does not ${work} of ours on device ${device}: ${reason}`, { device }),
  },
} as const satisfies Readonly<Record<string, Kind>>;

/** An error of ONNX Runtime in words of what to do next. */
export function ortError(cause: unknown, device: Device, work: Work): EigensamError {
  // It tells of its own sources first: "Non-zero status code returned while running Add node. …".
  const reason = (cause instanceof Error ? cause.message : String(cause)).split("\n")[0]!.trim();
  const kind = Object.values<Kind>(ortErrors).find(({ says }) => says.test(reason));
  return (
    kind?.error(device, reason, work) ??
    new DeviceError(`device ${device} cannot ${work}: ${reason}`, { device }, "eigensam doctor checks the device")
  );
}
