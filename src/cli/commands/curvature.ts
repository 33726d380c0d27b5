import { join } from "node:path";
import type { ImageOrder } from "../../curvature/result.ts";
import { sliceDirections } from "../../curvature/slice.ts";
import { assertFolderWritable } from "../../util/places.ts";
import { nonNegativeInteger, oneOf, positiveInteger, positiveNumber } from "../values.ts";
import { registry } from "../plugins.ts";
import { weightsArguments, weightsSource, type WeightsOptions } from "../train/weights-source.ts";
import { emit } from "../ui.ts";
import type { CliCommand } from "./command.ts";

interface CurvatureOptions extends WeightsOptions {
  readonly top: number;
  readonly bottom: number;
  readonly density?: true;
  readonly trace?: true;
  readonly layers?: true;
  readonly slice?: readonly (readonly (typeof sliceDirections)[number][])[];
  readonly range?: number;
  readonly points?: number;
  readonly bn: "batch" | "running";
  readonly batches?: number | "all";
  readonly order: ImageOrder;
  readonly copies: boolean;
  readonly crossFit: boolean;
  readonly renyi?: true;
  readonly dtype: "f32" | "f64";
  readonly tolerance: number;
  readonly maxProducts: number;
  readonly probes: number;
  readonly steps: number;
  readonly seed: number;
  readonly out?: string;
  readonly json?: true;
}

const countOrAll = (text: string): number | "all" => (text === "all" ? "all" : positiveInteger(text));

const slices = (text: string, before: CurvatureOptions["slice"] = []): CurvatureOptions["slice"] => [
  ...before,
  text.split(",").map((part) => oneOf(sliceDirections)(part.trim())),
];

export const curvature: CliCommand<CurvatureOptions> = {
  configure: (command) => {
    weightsArguments(command, "train")
      .option("--batches <n>", "mini-batches of data.batch images: n or all (default: 8; all of --images)", countOrAll)
      .option(
        "--order <which>",
        "which images: drawn at random from --seed, or the first ones",
        oneOf(["random", "first"] as const),
        "random",
      )
      .option(
        "--bn <mode>",
        "batch norm by each mini-batch or by running statistics",
        oneOf(["batch", "running"] as const),
        "batch",
      )
      .option("--top <k>", "largest eigenvalues", nonNegativeInteger, 1)
      .option("--bottom <k>", "smallest eigenvalues", nonNegativeInteger, 0)
      .option(
        "--no-copies",
        "do not look for further copies of multiple eigenvalues (only done for 2 or more of an end)",
      )
      .option("--no-cross-fit", "do not measure the largest eigenvalues on the other half of the mini-batches")
      .option("--trace", "trace (Hutch++) and Frobenius norm")
      .option("--density", "spectral density (stochastic Lanczos quadrature)")
      .option("--layers", "largest eigenvalue and trace of each layer's own block")
      .option("--renyi", "Rényi sharpness of each layer's spectrum, too: --probes × --steps products a layer")
      .option(
        "--slice <a[,b]>",
        `the loss along a direction or in a plane: ${sliceDirections.join(", ")}; may be repeated`,
        slices,
      )
      .option(
        "--range <r>",
        "farthest point of slices (default: 0.5 along unit vectors, 1 along random ones)",
        positiveNumber,
      )
      .option("--points <n>", "points along each direction of slices (default: 41, in planes 17)", positiveInteger)
      .option("--tolerance <t>", "largest residual |Hv - λv|/|λ| allowed", positiveNumber, 1e-3)
      .option(
        "--max-products <n>",
        "most Hessian-vector products for the eigenvalues, and as many to look for copies",
        positiveInteger,
        100,
      )
      .option("--probes <n>", "random vectors for density, trace, layers and their spectra", positiveInteger, 8)
      .option("--steps <n>", "Lanczos steps per random vector of density and layer spectra", positiveInteger, 40)
      .option("--dtype <type>", "precision", oneOf(["f32", "f64"] as const), "f32")
      .option("--seed <n>", "seed of the images drawn and of the random vectors", nonNegativeInteger, 1)
      .option("--out <dir>", "write figures, a page and curvature.json there")
      .option("--json", "the numbers on stdout");
  },
  run: async (options, args) => {
    if (options.out !== undefined) assertFolderWritable(options.out);
    const saved = await weightsSource(options, args);
    const { curvatureProblem } = await import("../../curvature/problem.ts");
    const { measureProblem } = await import("../../curvature/measure.ts");
    const { progressOf, sayCurvature, warnings } = await import("../curvature/show.ts");
    const { stopOnSignals } = await import("../stop.ts");
    const { say, status } = await import("../ui.ts");
    const problem = await curvatureProblem({ ...options, ...saved, split: options.split ?? "train" }, registry());
    const slices = (options.slice ?? []).map((directions) => ({
      directions,
      ...(options.range === undefined ? {} : { range: options.range }),
      ...(options.points === undefined ? {} : { points: options.points }),
    }));
    const stop = stopOnSignals("finishing the product at work");
    const request = { ...options, slices };
    const result = await measureProblem(problem, request, progressOf(), stop.signal).catch((error) => {
      if (error !== stop.signal.reason) throw error;
      say("stopped before anything was measured");
    });
    process.exitCode = stop.status();
    status();
    if (result === undefined) return;
    for (const warning of warnings(result, options)) say(warning);
    // Before any file: where one cannot be written after all, the numbers are not lost.
    if (options.json) emit(result);
    else sayCurvature(result, options.out);
    if (options.out !== undefined) {
      const { writeCurvatureReport } = await import("../../report/curvature/index.ts");
      const { writeAtomic } = await import("../../util/files.ts");
      const { html } = await writeCurvatureReport(result, options.out);
      writeAtomic(join(options.out, "curvature.json"), `${JSON.stringify(result)}\n`);
      say(html);
    }
  },
};
