import type { Batch, Inputs, TargetArray } from "../data/dataset.ts";
import type { Method } from "../optim/method.ts";
import { ConfigError } from "../util/errors.ts";
import type { TrainConfig } from "./config.ts";

/** How a mini-batch is computed: in `count` micro-batches of equal size one after another, which are `functions` losses of as many each. */
export interface Micro {
  readonly count: number;
  readonly functions: number;
}

/** The settings that part a mini-batch. */
interface Parting {
  readonly method: Pick<TrainConfig["method"], "m" | "solver" | "compat">;
  readonly train: Pick<TrainConfig["train"], "accumulate">;
}

/**
 * How mini-batches of `batch` examples are computed by train.accumulate and method.m.
 * @throws ConfigError where they do not divide it, or the method cannot perturb parts apart
 */
export function microOf({ method: settings, train }: Parting, method: Method, batch: number): Micro {
  const functions = settings.m ?? 1;
  const count = train.accumulate ?? functions;
  if (functions > 1) assertApart(method, settings, functions);
  if (count % functions !== 0)
    throw new ConfigError(
      `train.accumulate is ${count} and method.m is ${functions}: each of ${functions} perturbations takes whole micro-batches`,
      { accumulate: count, m: functions },
      `set train.accumulate to a multiple of method.m, such as ${functions}, or leave it out`,
    );
  if (batch % count !== 0)
    throw new ConfigError(
      `a mini-batch of ${batch} examples cannot be ${count} of equal size`,
      { batch, parts: count },
      `set ${train.accumulate === undefined ? "method.m" : "train.accumulate"} to a divisor of the batch, such as ${divisorNear(batch, count)}`,
    );
  return { count, functions };
}

/** Throws where m perturbations are not defined for a method. */
function assertApart({ name, state, needs }: Method, { solver, compat }: Parting["method"], m: number): void {
  const refuse = (why: string, hint: string) => {
    throw new ConfigError(`method.m is ${m}, but ${why}`, { m, method: name }, hint);
  };
  if (Object.keys(state).length > 0)
    refuse(
      `${name} keeps ${Object.keys(state).join(" and ")} from step to step, of one gradient and not of ${m}`,
      "leave method.m out, or choose a method that keeps nothing, such as sam",
    );
  if (needs.v === true && solver === "free")
    refuse(
      "solver free follows the change of one gradient along one perturbation",
      "choose another solver, such as method.solver=lanczos",
    );
  if (compat === "official")
    refuse("method.compat is official, and the authors' code perturbs once per step", "leave one of them out");
}

function divisorNear(batch: number, count: number): number {
  let near = Math.min(count, batch);
  while (batch % near !== 0) near--;
  return near;
}

/** A mini-batch in so many parts, as views. */
export function partsOfBatch({ x, y }: Batch, count: number): Batch[] {
  const part = <T extends Inputs | TargetArray>(values: T, i: number): T => {
    const each = values.length / count;
    return values.subarray(i * each, (i + 1) * each) as T;
  };
  return Array.from({ length: count }, (_, i) => ({ x: part(x, i), y: part(y, i) }));
}
