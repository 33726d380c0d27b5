import { execFile } from "node:child_process";
import { cpus, release, totalmem } from "node:os";
import { promisify } from "node:util";
import { defaultThreads } from "../../runtime/device.ts";
import { ortVersion } from "../../runtime/node-session.ts";
import { type AllocatorDecision, allocatorHere } from "../allocator.ts";
import { packageVersion } from "../../util/package.ts";
import { type CudaLibraries, cudaLibraries } from "./cuda-libraries.ts";
import { type DeviceState, deviceStates } from "./devices.ts";
import { type SelfTest, selfTest } from "./self-test.ts";

export interface PeerState {
  readonly python: string;
  /** PyTorch's version, where it can be imported. */
  readonly torch?: string;
  readonly reason?: string;
}

export interface DoctorReport {
  readonly versions: { readonly eigensam: string; readonly node: string; readonly onnxruntime: string };
  readonly platform: string;
  readonly cpu: { readonly model: string; readonly cores: number; readonly threads: number };
  readonly memoryMiB: number;
  readonly devices: readonly DeviceState[];
  /** Left out on platforms that have none. */
  readonly cuda?: CudaLibraries;
  readonly allocator: AllocatorDecision;
  readonly selfTest: SelfTest;
  readonly peer: PeerState;
}

export async function examine(python: string): Promise<DoctorReport> {
  const [devices, peer] = await Promise.all([deviceStates(), peerState(python)]);
  const cores = cpus();
  const cuda = cudaLibraries();
  return {
    versions: { eigensam: packageVersion, node: process.versions.node, onnxruntime: ortVersion },
    platform: `${process.platform}/${process.arch} ${release()}`,
    cpu: { model: cores[0]?.model.trim() ?? "unknown", cores: cores.length, threads: defaultThreads() },
    memoryMiB: Math.floor(memory() / 2 ** 20),
    devices,
    ...(cuda ? { cuda } : {}),
    allocator: allocatorHere(),
    // Last and alone: it measures speed.
    selfTest: await selfTest(),
    peer,
  };
}

/** A container may allow less than the machine has; without a limit Node says 0 or a huge number. */
function memory(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

async function peerState(python: string): Promise<PeerState> {
  try {
    const { stdout } = await promisify(execFile)(python, ["-c", "import torch; print(torch.__version__)"]);
    return { python, torch: stdout.trim() };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { python, reason: message.trim().split("\n").at(-1)! };
  }
}
