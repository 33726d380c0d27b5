import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { DeviceError } from "../../util/errors.ts";
import { statusOf, track } from "../children.ts";
import { CUDA_PLATFORM, ortFolder } from "./cuda-libraries.ts";

/** Lets onnxruntime-node fetch its CUDA provider, which its package on npm leaves out for its size. */
export async function installCuda(): Promise<void> {
  const here = `${process.platform}/${process.arch}`;
  if (here !== CUDA_PLATFORM)
    throw new DeviceError(
      `CUDA: got ${here}, expected ${CUDA_PLATFORM}, the only platform with CUDA binaries for onnxruntime-node`,
      { platform: here },
      "--device webgpu runs on the GPUs of other platforms",
    );
  const script = join(ortFolder(), "script/install.js");
  // What it prints is for people, and stdout may carry JSON.
  const child = track(
    spawn(process.execPath, [script, "--onnxruntime-node-install=cuda12"], { stdio: ["inherit", 2, 2] }),
  );
  const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
  if (code !== 0)
    throw new DeviceError(
      `onnxruntime-node's script for the CUDA binaries ended with status ${statusOf(code, signal)}, expected 0`,
      { code, signal },
      "it downloads from NuGet and needs network; behind a proxy set GLOBAL_AGENT_HTTPS_PROXY",
    );
}
