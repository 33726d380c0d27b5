import { DeviceError } from "../../util/errors.ts";
import { emit } from "../ui.ts";
import type { CliCommand } from "./command.ts";

interface DoctorOptions {
  readonly installCuda?: true;
  readonly python: string;
  readonly json?: true;
}

export const doctor: CliCommand<DoctorOptions> = {
  configure: (command) => {
    command
      .option("--install-cuda", "fetch the CUDA provider of onnxruntime-node first (needs network)")
      .option("--python <path>", "interpreter that has PyTorch, for bench --peer", "/usr/bin/python3")
      .option("--json", "one JSON object on stdout");
  },
  run: async ({ installCuda, python, json }) => {
    // Loaded here, because they load ONNX Runtime, which other commands do not need.
    if (installCuda) await (await import("../doctor/install-cuda.ts")).installCuda();
    const { examine } = await import("../doctor/report.ts");
    const report = await examine(python);
    if (json) emit(report);
    else console.log((await import("../doctor/show.ts")).show(report));
    if (!report.selfTest.pass)
      throw new DeviceError(
        "the self-test failed: ONNX Runtime gives wrong numbers here",
        { ...report.selfTest },
        "install the package anew; if that does not help, train elsewhere and report what doctor --json prints",
      );
  },
};
