import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sdeRun } from "../../src/experiments/sde/run-dir.ts";
import { plannedRuns, sdeSettings } from "../../src/experiments/sde/config.ts";
import { trainingMethodNames } from "../../src/optim/methods/index.ts";
import { runFiles } from "../../src/run/files.ts";
import { sweepOf } from "../../src/sweep/definition.ts";
import { fixedTrials } from "../../src/sweep/trials.ts";
import { builtIn } from "../../src/train/registry.ts";
import { trainSettings } from "../../src/train/settings.ts";
import { inPackage } from "../../src/util/package.ts";
import { chance, integer, pick, type Random } from "./random.ts";

export const runKinds = ["train", "plugin", "sde", "sde pool", "study", "sweep"] as const;

export type RunKind = (typeof runKinds)[number];

/** Whether one command makes several runs in processes of their own. */
export const isPool = (kind: RunKind): boolean => kind === "sde pool" || kind === "sweep";

/** A run to be made twice: undisturbed, and with events. */
export interface Plan {
  readonly kind: RunKind;
  /** What it is, in a line. */
  readonly label: string;
  /** Arguments of Node.js that begin the run in a folder, or go on with it. */
  command(folder: string, begun: boolean): string[];
  /** The run directories in that folder, relative to it. */
  readonly runs: readonly string[];
}

const cli = inPackage("bin/eigensam.js");

export function planOf(kind: RunKind, random: Random): Plan {
  switch (kind) {
    case "train":
    case "plugin":
      return trainPlan(kind, random);
    case "sde":
      return sdePlan(random);
    case "sde pool":
      return poolPlan(random);
    case "study":
      return studyPlan(random);
    case "sweep":
      return sweepPlan(random);
  }
}

const solvers = ["power", "lanczos", "spread", "free"] as const;

function trainPlan(kind: "train" | "plugin", random: Random): Plan {
  const own = kind === "plugin";
  const settings: Record<string, unknown> = {
    seed: integer(random, 1, 1000),
    threads: 1,
    "model.name": "mlp",
    "model.width": integer(random, 4, 8),
    "method.name": own && chance(random, 0.5) ? "mean-sam" : pick(random, trainingMethodNames),
    "data.batch": own ? 8 : 512,
    "data.crop": integer(random, 0, 2),
    "optimizer.lr": pick(random, [0.01, 0.03]),
    "train.epochs": own ? integer(random, 4, 10) : integer(random, 2, 4),
    "train.checkpointEvery": pick(random, [0, 1, 3, 7]),
    "train.testEvery": pick(random, [0, 1, 2]),
    "schedule.name": pick(random, ["constant", "cosine", "step"]),
    "schedule.warmup": pick(random, [0, 0.5]),
  };
  const method = settings["method.name"];
  if (own) settings["data.name"] = "speckles";
  if (settings["schedule.name"] === "step") settings["schedule.milestones"] = "[1]";
  if (method === "eigen-sam")
    Object.assign(settings, { "method.solver": pick(random, solvers), "method.every": 6, "method.iterations": 2 });
  else if (chance(random, 0.3)) settings["probe.every"] = 9;
  const [adamw, registered] = [chance(random, 0.3), Object.entries(builtIn.methods).find(([name]) => name === method)];
  // A method with momentum of its own takes no optimizer beside it.
  if (registered?.[1].needs.plainSgd === undefined)
    if (adamw) settings["optimizer.name"] = "adamw";
    else settings["optimizer.momentum"] = pick(random, [0, 0.9]);
  if (chance(random, 0.2)) settings["train.clip"] = 1;
  if (chance(random, 0.2)) settings["train.labelSmoothing"] = 0.1;
  if (chance(random, 0.5)) settings["train.tensorboard"] = true;
  const given = Object.entries(settings).map(([key, value]) => `${key}=${value}`);
  const plugin = own ? ["--plugin", inPackage("scripts/torture/plugin.mjs")] : [];
  return {
    kind,
    label: given.join(" "),
    command: (folder, begun) => [
      ...[cli, "train", "--json", ...plugin],
      ...(begun ? ["--resume", join(folder, "run")] : ["--run-dir", join(folder, "run"), ...given]),
    ],
    runs: ["run"],
  };
}

function sdeSettingsIn(random: Random, steps: number): string[] {
  const processes = ["discrete", "second", "third", "sgd", "exact", "repeat"].filter(() => chance(random, 0.5));
  return [
    `model.width=${integer(random, 3, 5)}`,
    `method.name=${pick(random, ["sam", "usam", "egr"])}`,
    "method.rho=0.1",
    "data.train=40",
    "data.test=20",
    "data.batch=8",
    "sde.batches=2",
    `sde.steps=${steps}`,
    `sde.processes=${JSON.stringify(["discrete", ...processes.slice(0, 2).filter((name) => name !== "discrete")])}`,
    `measure.every=${pick(random, [5, 10])}`,
    "measure.curvatureImages=20",
    `dtype=${pick(random, ["f32", "f64"])}`,
  ];
}

function sdePlan(random: Random): Plan {
  const given = [...sdeSettingsIn(random, 60), `seed=${integer(random, 1, 1000)}`];
  const config = sdeSettings.resolve("", given);
  return {
    kind: "sde",
    label: given.join(" "),
    command: (folder) => {
      const run = join(folder, "run");
      if (!existsSync(runFiles(run).config)) sdeRun.create(run, plannedRuns(config, [config.seed!])[0]!.config);
      return [cli, "sde", "--json", "--resume", run];
    },
    runs: ["run"],
  };
}

function poolPlan(random: Random): Plan {
  const given = sdeSettingsIn(random, 30);
  const seeds = [1, 2].map(() => integer(random, 1, 1000));
  const config = sdeSettings.resolve("", given);
  return {
    kind: "sde pool",
    label: `--seeds ${seeds.join()} ${given.join(" ")}`,
    command: (folder) => [cli, "sde", "--json", ...given, "--seeds", seeds.join(), "--out", join(folder, "out")],
    runs: plannedRuns(config, seeds).map(({ name }) => join("out", name)),
  };
}

function studyPlan(random: Random): Plan {
  const plan = {
    name: "small",
    network: "mlp",
    arm: "free",
    config: {
      seed: integer(random, 1, 1000),
      threads: 1,
      model: { name: "mlp", width: integer(random, 4, 8) },
      data: { name: "fashion-mini", batch: 512 },
      method: { name: "eigen-sam", rho: 0.05, alpha: 0.2, solver: pick(random, solvers), every: 7, iterations: 2 },
      probe: { at: [integer(random, 1, 8), integer(random, 12, 20), integer(random, 24, 32)], batches: 2 },
      optimizer: { lr: 0.03 },
      train: { epochs: 2, checkpointEvery: pick(random, [0, 4]) },
    },
  };
  return {
    kind: "study",
    label: JSON.stringify(plan.config),
    command: (folder) => [inPackage("scripts/torture/study.mjs"), join(folder, "run"), JSON.stringify(plan)],
    runs: ["run"],
  };
}

/** A sweep of a few small runs, by a grid or by TPE. */
function sweepPlan(random: Random): Plan {
  const seeds = [1, 2].map(() => integer(random, 1, 1000));
  const rates = [0.01, 0.02, 0.03].slice(0, integer(random, 1, 2));
  const toml = `
    seeds = ${JSON.stringify([...new Set(seeds)])}
    threads = 1
    [settings]
    model.name = "mlp"
    model.width = ${integer(random, 4, 8)}
    data.batch = 256
    data.examples = 2000
    train.epochs = ${integer(random, 1, 3)}
    train.checkpointEvery = ${pick(random, [0, 3])}
    [vary]
    method.name = ${JSON.stringify(pick(random, [["sgd", "sam"], ["eigen-sam"]]))}
    optimizer.lr = ${JSON.stringify(rates)}
  `;
  const settings = trainSettings(builtIn);
  const definition = sweepOf(toml, { source: "sweep.toml", fallbackName: "sweep", read: () => "" });
  const names = fixedTrials({ definition, settings }).flatMap(({ runs }) => runs.map(({ name }) => name));
  return {
    kind: "sweep",
    label: toml.trim().replaceAll(/\s+/g, " "),
    command: (folder) => {
      const path = join(folder, "sweep.toml");
      if (!existsSync(path)) writeFileSync(path, toml);
      return [cli, "sweep", "run", path, "--json", "--out", join(folder, "out")];
    },
    runs: names.map((name) => join("out", name)),
  };
}
