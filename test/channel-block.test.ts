import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { conv2d } from "../src/graph/ops/conv.ts";
import { channelBlock } from "../src/runtime/channel-block.ts";
import { compile } from "../src/runtime/compile.ts";

const linux = process.platform === "linux" && process.arch === "x64";

describe.runIf(linux)("the blocks of ONNX Runtime's convolution", () => {
  const wide = readFileSync("/proc/cpuinfo", "utf8").includes("avx512f");

  it("have the channels of one register", async () => {
    expect(await channelBlock()).toBe(wide ? 16 : 8);
  });

  it("are used for a few channels, and by no file for others", async () => {
    const spec = { x: { shape: [8, 8, 4, 16] }, w: { shape: [3, 3, 16, 16] } };
    const blocked = async (options: Parameters<typeof compile>[2]) => {
      const f = await compile(({ x, w }) => ({ y: conv2d(x!, w!, { padding: 1 }) }), spec, { threads: 1, ...options });
      await f.release();
      return Buffer.from(f.onnx).includes("com.microsoft.nchwc");
    };
    expect(await blocked({})).toBe(true);
    expect(await blocked({ convolution: "direct" })).toBe(false);
    expect(await blocked({ standardOps: true })).toBe(false);
  });
});
