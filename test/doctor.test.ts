import { mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import {
  CUDA_LIBRARIES,
  CUDA_PLATFORM,
  type CudaLibraries,
  cudaLibraries,
  ortFolder,
} from "../src/cli/doctor/cuda-libraries.ts";
import type { DoctorReport } from "../src/cli/doctor/report.ts";
import { show } from "../src/cli/doctor/show.ts";

const [shared, cuda] = CUDA_LIBRARIES;

/** A real library, small, in the package itself. */
const whole = join(ortFolder(), "bin/napi-v6", CUDA_PLATFORM, "onnxruntime_binding.node");

const folderWith = (write: (path: (name: string) => string) => void) => {
  const folder = mkdtempSync(join(tmpdir(), "eigensam-cuda-"));
  write((name) => join(folder, name));
  return folder;
};

describe("the CUDA libraries of onnxruntime-node", () => {
  it("are those that its install script fetches, in the folder that it puts them in", () => {
    const require = createRequire(import.meta.url);
    const { manifests, requirements } = require("onnxruntime-node/script/install-metadata.js");
    const fetched = Object.keys(manifests[`${CUDA_PLATFORM}:cuda12`]).map((name) => name.replace("./", ""));
    expect(fetched).toEqual(expect.arrayContaining([...CUDA_LIBRARIES]));
    expect(Object.keys(requirements).filter((platform) => requirements[platform].includes("cuda12"))).toEqual([
      CUDA_PLATFORM,
    ]);
    expect(readFileSync(join(ortFolder(), "script/install.js"), "utf8")).toContain("'bin/napi-v6', PLATFORM");
    expect(cudaLibraries(CUDA_PLATFORM)?.folder).toBe(join(ortFolder(), "bin/napi-v6", CUDA_PLATFORM));
  });

  it("are missing where the script was skipped", () => {
    const folder = folderWith(() => undefined);
    expect(cudaLibraries(CUDA_PLATFORM, folder)).toEqual({ folder, missing: [shared, cuda], damaged: [] });
  });

  it("are told apart where one is there, and one is cut short", () => {
    const there = folderWith((path) => symlinkSync(whole, path(shared)));
    expect(cudaLibraries(CUDA_PLATFORM, there)).toMatchObject({ missing: [cuda], damaged: [] });
    const cut = folderWith((path) => {
      symlinkSync(whole, path(shared));
      writeFileSync(path(cuda), readFileSync(whole).subarray(0, -1));
    });
    expect(cudaLibraries(CUDA_PLATFORM, cut)).toMatchObject({ missing: [], damaged: [cuda] });
  });

  it.each([
    ["empty", Buffer.alloc(0)],
    ["no library", Buffer.from("<html>proxy says no</html>".repeat(9))],
  ])("are damaged where a file is %s", (_, bytes) => {
    const folder = folderWith((path) => writeFileSync(path(shared), bytes));
    expect(cudaLibraries(CUDA_PLATFORM, folder)).toMatchObject({ missing: [cuda], damaged: [shared] });
  });

  it.each(["linux/arm64", "darwin/arm64", "win32/x64"])("are not looked for on %s", (platform) => {
    expect(cudaLibraries(platform)).toBeUndefined();
  });
});

describe("what doctor shows of them", () => {
  const report: Omit<DoctorReport, "cuda"> = {
    versions: { eigensam: "0.1.0", node: "20.19.0", onnxruntime: "1.30.0" },
    platform: CUDA_PLATFORM,
    cpu: { model: "any", cores: 2, threads: 2 },
    memoryMiB: 1024,
    devices: [],
    allocator: { state: "tuned" },
    selfTest: { pass: true, gradientError: 0, gflops: 1 },
    peer: { python: "python3", torch: "1.13" },
  };
  const shown = (cuda?: CudaLibraries) =>
    stripVTControlCharacters(show({ ...report, ...(cuda ? { cuda } : {}) })).match(/^.*cuda libraries.*\n?.*$/m)?.[0];

  it("is where they are, or which are not and how to get them", () => {
    expect(shown({ folder: "/there", missing: [], damaged: [] })).toMatch(/^✓ cuda libraries {2}\/there\n/);
    const lacking = shown({ folder: "/there", missing: [shared], damaged: [cuda] });
    expect(lacking).toMatch(/^✗/);
    expect(lacking).toContain(`${shared} is missing, ${cuda} is cut short`);
    expect(lacking).toContain("eigensam doctor --install-cuda");
    expect(lacking).toContain("Gpu.Linux 1.30.0 from NuGet to /there");
  });

  it("is nothing on platforms that have none", () => {
    expect(shown()).toBeUndefined();
  });
});
