import { stepsPerEpoch } from "../data/batch-maker.ts";
import { type Dataset, isSplit } from "../data/dataset.ts";
import { emptyClasses } from "../data/labels.ts";
import type { Model } from "../nn/scope.ts";
import type { Method } from "../optim/method.ts";
import { hiddenWeights } from "../optim/optimizers/muon.ts";
import { parametersOf } from "../optim/parameters.ts";
import { ConfigError } from "../util/errors.ts";
import type { TrainConfig } from "./config.ts";

/** Throws where settings ask for something that they also switch off. */
export function assertEffective({ optimizer, schedule, method, probe }: TrainConfig, readsV: boolean): void {
  if (readsV) assertSolver(method);
  if (method.compat === "official" && method.from)
    throw new ConfigError(
      `method.from is ${method.from}, but method.compat is official, and the authors' code begins with its method`,
      { from: method.from },
      "leave one of them out",
    );
  if (probe.products < probe.top)
    throw new ConfigError(
      `probe.products is ${probe.products}, but probe.top asks for ${probe.top} eigenvalues`,
      { probe },
      "give it more products: ten and more for each eigenvalue",
    );
  if (optimizer.nesterov && (optimizer.name !== "sgd" || optimizer.momentum === 0))
    throw new ConfigError(
      optimizer.name === "sgd"
        ? "optimizer.nesterov is true, but optimizer.momentum is 0"
        : `optimizer.nesterov is true, but ${optimizer.name} has no such form`,
      { optimizer },
      "Nesterov's form is one of SGD's momentum: set optimizer.name=sgd and optimizer.momentum, or leave it out",
    );
  if (schedule.name === "step" && schedule.milestones.length === 0)
    throw new ConfigError(
      "schedule.name is step, but schedule.milestones is empty, so the learning rate would never fall",
      { schedule },
      "say when it falls, in epochs: schedule.milestones=[30,60]; or set schedule.name=constant",
    );
}

/** Throws where a method that has momentum and decay of its own would get the optimizer's as well. */
export function assertBase({ name, needs }: Pick<Method, "name" | "needs">, optimizer: TrainConfig["optimizer"]): void {
  const { name: base, momentum, weightDecay, nesterov } = optimizer;
  if (needs.plainSgd === undefined || (base === "sgd" && momentum === 0 && weightDecay === 0 && !nesterov)) return;
  throw new ConfigError(
    `${name} has momentum and weight decay of its own, but the optimizer is ${base} with momentum ${momentum} and weight decay ${weightDecay}`,
    { name, optimizer },
    "leave optimizer.name, optimizer.momentum and optimizer.weightDecay out; the method's own numbers take their place",
  );
}

/** Throws where the solver of v would not do what its other settings say. */
function assertSolver({ solver, every, iterations, hessianBn }: TrainConfig["method"]): void {
  if (solver === "free" && hessianBn === "running")
    throw new ConfigError(
      "method.hessianBn is running, but solver free follows the gradients of training, which use batch statistics",
      { solver, hessianBn },
      "leave it out, or choose power, lanczos, spread or oracle",
    );
  if (solver === "spread" && every < iterations)
    throw new ConfigError(
      `solver spread makes ${iterations} products in ${every} steps, but at most one in a step`,
      { every, iterations },
      "set method.every to at least method.iterations",
    );
}

/** What notes are made from: a problem has all of it. */
interface Noted {
  readonly config: TrainConfig;
  readonly dataset: Dataset;
  readonly method: Pick<Method, "name" | "needs">;
  readonly model: Pick<Model, "parameters">;
  readonly train: Dataset["train"];
  readonly batch: number;
}

/** What may surprise in a run that can be trained nevertheless, a line each. */
export function notesOf({ config, dataset, method, model, train: examples, batch }: Noted): string[] {
  const { schedule, train } = config;
  const { compat, every } = config.method;
  const steps = isSplit(examples) ? stepsPerEpoch(examples.count, batch) : examples.stepsPerEpoch;
  const { from = 0 } = config.method;
  const never = compat === "official" && method.needs.v === true && every >= steps;
  const late = schedule.milestones.filter((epoch) => epoch >= train.epochs);
  const given = schedule.milestones.length > 0;
  const { mask } = method.needs;
  const { name: optimizer } = config.optimizer;
  const byMuon = hiddenWeights(parametersOf(model.parameters));
  return [
    emptyClasses(dataset),
    mask && !model.parameters.entries.some(mask)
      ? `${method.name} perturbs some parameters only, and ${config.model.name} has none of them: its steps are the base optimizer's`
      : undefined,
    config.method.rho === 0
      ? `method.rho is 0: ${method.name} perturbs nothing, and its steps are the base optimizer's at the cost of its own`
      : undefined,
    Math.round(from * steps) >= train.epochs * steps
      ? `method.from is ${from} and the run has ${train.epochs} epochs: ${method.name} never begins, and all steps are the base optimizer's`
      : undefined,
    optimizer === "muon" && byMuon.size === 0
      ? `${config.model.name} has no weights between its first and its last, so that optimizer muon is AdamW at ${config.optimizer.vectorRate} of the rate`
      : undefined,
    never
      ? `an epoch has ${steps} steps and method.every is ${every}: counted within the epoch, as the authors' code counts, no step ever estimates v, and all are USAM`
      : undefined,
    given && schedule.name !== "step" ? `schedule ${schedule.name} does not read schedule.milestones` : undefined,
    schedule.name === "step" && late.length > 0
      ? `the run ends after ${train.epochs} epochs, before milestones ${late.join(", ")}`
      : undefined,
  ].filter((note) => note !== undefined);
}
