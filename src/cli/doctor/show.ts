import { colorsFor } from "../colors.ts";
import type { AllocatorDecision } from "../allocator.ts";
import type { CudaLibraries } from "./cuda-libraries.ts";
import type { DoctorReport } from "./report.ts";

const colors = colorsFor(process.stdout);

interface Row {
  readonly name: string;
  /** Left out where there is nothing to pass or fail. */
  readonly ok?: boolean;
  readonly value: string;
  readonly hint?: string | undefined;
}

/** The report for people: one aligned line per fact, hints below what is missing. */
export function show(report: DoctorReport): string {
  const rows = rowsOf(report);
  const width = Math.max(...rows.map(({ name }) => name.length));
  return rows
    .map(({ name, ok, value, hint }) => {
      const mark = ok === undefined ? " " : ok ? colors.green("✓") : colors.red("✗");
      const below = hint === undefined ? "" : `\n  ${" ".repeat(width + 2)}${colors.dim(`hint: ${hint}`)}`;
      return `${mark} ${name.padEnd(width)}  ${value}${below}`;
    })
    .join("\n");
}

function rowsOf({ versions, platform, cpu, memoryMiB, devices, cuda, allocator, selfTest, peer }: DoctorReport): Row[] {
  const { pass, gradientError, gflops } = selfTest;
  return [
    ...Object.entries(versions).map(([name, value]): Row => ({ name, value })),
    { name: "platform", value: platform },
    { name: "cpu", value: `${cpu.model}, ${cpu.cores} cores, ${cpu.threads} threads by default` },
    { name: "memory", value: `${(memoryMiB / 1024).toFixed(1)} GiB` },
    ...devices.map(
      ({ device, available, reason, hint }): Row => ({
        name: `device ${device}`,
        ok: available,
        value: reason ?? "available",
        hint,
      }),
    ),
    ...(cuda ? [cudaRow(cuda, versions.onnxruntime)] : []),
    allocatorRow(allocator),
    {
      name: "self-test",
      ok: pass,
      value: `gradient ${pass ? "right" : "wrong"} (error ${gradientError.toExponential(1)}), matmul ${gflops.toFixed(0)} GFLOP/s`,
      hint: pass ? undefined : "reinstall onnxruntime-node; if it stays, please report it with this output",
    },
    {
      name: "pytorch",
      ok: peer.torch !== undefined,
      value: peer.torch === undefined ? `${peer.python}: ${peer.reason}` : `${peer.torch}, for bench --peer`,
      hint: peer.torch === undefined ? "only bench --peer needs it; on Debian: apt install python3-torch" : undefined,
    },
  ];
}

function cudaRow({ folder, missing, damaged }: CudaLibraries, version: string): Row {
  const name = "cuda libraries";
  const faults = [...missing.map((file) => `${file} is missing`), ...damaged.map((file) => `${file} is cut short`)];
  if (faults.length === 0) return { name, ok: true, value: folder };
  return {
    name,
    ok: false,
    value: `${faults.join(", ")}: onnxruntime-node's install script was skipped, or its download failed`,
    hint: `only device cuda needs them: eigensam doctor --install-cuda. Without network, unpack runtimes/linux-x64/native of Microsoft.ML.OnnxRuntime.Gpu.Linux ${version} from NuGet to ${folder}`,
  };
}

function allocatorRow(decision: AllocatorDecision): Row {
  const name = "allocator";
  switch (decision.state) {
    case "tuned":
      return { name, ok: true, value: "glibc, tuned to keep its memory" };
    case "restart":
      return { name, ok: false, value: "stock: this command was not restarted" };
    case "stock":
      return { name, ok: false, value: `stock: ${decision.reason}`, hint: "training works, with more page faults" };
  }
}
