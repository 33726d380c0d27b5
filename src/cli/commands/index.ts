import { finders } from "../find/finders.ts";
import type { CliCommand } from "./command.ts";

/** What is known of a command before it is loaded. */
export interface CommandEntry {
  readonly name: string;
  /** One line of help. */
  readonly summary: string;
  /** It computes in its own process, which therefore restarts with the tuned allocator first. */
  readonly computes: boolean;
  /** A command brings most of the package with it, and a process runs one. */
  readonly load: () => Promise<CliCommand>;
}

const findEntries = Object.entries(finders).map(
  ([name, finder]): CommandEntry => ({
    name: `${name}-find`,
    summary: `find the ${finder.title} by short runs: the curve, what to take, and why`,
    computes: true,
    load: async () => (await import("./find.ts")).findCommand(`${name}-find`, finder),
  }),
);

/** Every subcommand, in the order of the help text. */
export const commands: readonly CommandEntry[] = [
  {
    name: "train",
    summary: "train a network with SGD, SAM, Eigen-SAM or one of their variants",
    computes: true,
    load: async () => (await import("./train.ts")).train,
  },
  {
    name: "eval",
    summary: "score a run, or weights as safetensors or .pth: loss and accuracy",
    computes: true,
    load: async () => (await import("./eval.ts")).evaluate,
  },
  {
    name: "predict",
    summary: "predict rows of tables, images or arrays of examples with a trained run",
    computes: true,
    load: async () => (await import("./predict.ts")).predict,
  },
  {
    name: "export",
    summary: "write a trained network as an ONNX file for inference",
    computes: false,
    load: async () => (await import("./export.ts")).exportModel,
  },
  {
    name: "curvature",
    summary: "measure the Hessian of trained weights: eigenvalues, density, trace, layers, slices",
    computes: true,
    load: async () => (await import("./curvature.ts")).curvature,
  },
  {
    name: "sde",
    summary: "compare discrete SAM with its SGD, second-order and third-order stochastic differential equations",
    computes: false,
    load: async () => (await import("./sde.ts")).sde,
  },
  {
    name: "runs",
    summary: "list, filter, sort and compare runs of train and sde",
    computes: false,
    load: async () => (await import("./runs.ts")).runs,
  },
  {
    name: "report",
    summary: "draw figures and tables of runs of train and sde: pages, PNG, SVG, Markdown and CSV",
    computes: false,
    load: async () => (await import("./report.ts")).report,
  },
  {
    name: "paper",
    summary: "make the runs of a study, then its figures and tables",
    computes: true,
    load: async () => (await import("./paper.ts")).paper,
  },
  {
    name: "sweep",
    summary: "make many runs from one file: grids, searches, seeds; on this machine or a cluster",
    computes: true,
    load: async () => (await import("./sweep.ts")).sweep,
  },
  ...findEntries,
  {
    name: "data",
    summary: "list, fetch and verify data sets",
    computes: false,
    load: async () => (await import("./data.ts")).data,
  },
  {
    name: "demo",
    summary: "train with SGD, SAM and Eigen-SAM on real images with clean and wrong labels, and write two reports",
    computes: false,
    load: async () => (await import("./demo.ts")).demo,
  },
  {
    name: "bench",
    summary: "time steps of training and curvature, beside PyTorch on request",
    computes: false,
    load: async () => (await import("./bench.ts")).bench,
  },
  {
    name: "doctor",
    summary: "check what this machine offers, what is missing, and how to get it",
    computes: true,
    load: async () => (await import("./doctor.ts")).doctor,
  },
];

/** The commands that `named` selects, loaded, by name. */
export async function loadCommands(named: (name: string) => boolean): Promise<ReadonlyMap<string, CliCommand>> {
  const wanted = commands.filter(({ name }) => named(name));
  return new Map(await Promise.all(wanted.map(async ({ name, load }) => [name, await load()] as const)));
}
