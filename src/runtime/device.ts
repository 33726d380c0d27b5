import { availableParallelism } from "node:os";
import type { Target } from "../graph/tensor.ts";

export type Device = Target["device"];

export const devices = ["cpu", "webgpu", "cuda"] as const satisfies readonly Device[];

/** What to do where a device is missing. */
export const deviceHints: Readonly<Record<Device, string>> = {
  cpu: "reinstall onnxruntime-node: its CPU provider is always part of it",
  webgpu: "needs a GPU with a driver for Vulkan, Metal or Direct3D 12 (on Debian: apt install mesa-vulkan-drivers)",
  cuda: "needs an NVIDIA GPU, CUDA 12 with cuDNN 9, and the provider: eigensam doctor --install-cuda",
};

export type Convolution = Target["convolution"];

/** Threads of ONNX Runtime by default: one per core this process may use. */
export const defaultThreads = (): number => availableParallelism();

export interface TargetOptions {
  readonly device?: Device;
  /** "winograd" (default on the CPU), "direct" (exact), "native" (default on GPUs): docs/engine.md has speed and error. */
  readonly convolution?: Convolution;
  /** Only operators of the ONNX standard, as a browser needs; the default on WebGPU. */
  readonly standardOps?: boolean;
}

/** The defaults per device. */
export const targetOf = ({ device = "cpu", convolution, standardOps }: TargetOptions = {}): Target => ({
  device,
  convolution: convolution ?? (device === "cpu" ? "winograd" : "native"),
  contrib: !(standardOps ?? device === "webgpu"),
});
