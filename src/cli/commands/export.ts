import type { SavedWeights } from "../../train/examples.ts";
import { ConfigError } from "../../util/errors.ts";
import { assertFileWritable, isStandardOutput } from "../../util/places.ts";
import { grouped } from "../format.ts";
import { registry } from "../plugins.ts";
import { weightsSource, type WeightsOptions, weightsArguments } from "../train/weights-source.ts";
import { emit, say } from "../ui.ts";
import { positiveInteger } from "../values.ts";
import type { CliCommand } from "./command.ts";

interface ExportOptions extends WeightsOptions {
  readonly out: string;
  readonly batch?: number;
  readonly json?: true;
}

export const exportModel: CliCommand<ExportOptions> = {
  configure: (command) => {
    weightsArguments(command)
      .option("--out <file>", "where the file goes", "model.onnx")
      .option("--batch <n>", "images per run of the file (default: any number)", positiveInteger)
      .option("--json", "{path, bytes} on stdout");
  },
  run: async (options, args) => {
    assertFileWritable(options.out);
    const saved = await weightsSource(options, args);
    assertDataNeeded(saved, options);
    const { inferenceModel } = await import("../../train/export-onnx.ts");
    const { formatOfWeights } = await import("../../train/examples.ts");
    const { loadModel } = await import("../../train/restore.ts");
    const { writeOutput } = await import("../../util/files.ts");
    const format = await formatOfWeights(saved, registry());
    const { task, weights } = loadModel(saved, format, options.batch ?? 1, registry());
    const bytes = inferenceModel(task, weights, options.batch);
    writeOutput(options.out, bytes);
    if (options.json && !isStandardOutput(options.out)) emit({ path: options.out, bytes: bytes.length });
    else
      (isStandardOutput(options.out) ? say : console.log)(
        `${options.out}: ${grouped(bytes.length / 1024)} KiB, takes ${format.inputShape.length === 3 ? "images" : "examples"} [${options.batch ?? "n"}, ${format.inputShape.join(", ")}]`,
      );
  },
};

/** A run recorded what its network takes, and data would change nothing of it. */
function assertDataNeeded({ run, format, arrays }: SavedWeights, { set = [] }: ExportOptions): void {
  if (format === undefined || (arrays === undefined && !set.some((setting) => setting.startsWith("data.")))) return;
  throw new ConfigError(
    `export does not read ${arrays ? "--images" : "--set data.*"} here: ${run} recorded what its network takes`,
    { run },
    "leave it out; weights of a file need it",
  );
}
