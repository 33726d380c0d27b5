import { type TrainingMethodName, trainingMethods } from "../../optim/methods.ts";
import type { Executable } from "../../runtime/compile.ts";
import { drawIndices } from "../../sde/draw.ts";
import { eulerMaruyama } from "../../sde/euler-maruyama.ts";
import type { SdeVariantName } from "../../sde/variants.ts";
import { rng } from "../../util/rng.ts";
import type { SdeRunConfig } from "./config.ts";
import { compileDrift, compilePower } from "./graphs.ts";
import type { Problem } from "./problem.ts";
import { type Process, type ProcessName, processes } from "./processes.ts";
import type { ProcessState } from "./state.ts";

/** Moves processes along by one step of the discrete algorithm. */
export interface Stepper {
  advance(name: ProcessName, state: ProcessState, step: number): Promise<void>;
  release(): Promise<void>;
}

/**
 * Compiles one graph per equation, which sees one mini-batch at a time: besides the states, memory is two vectors as long
 * as θ. Mini-batches and noise are functions of (seed, stream of the process, step, sub-step).
 */
export async function createStepper(config: SdeRunConfig, problem: Problem): Promise<Stepper> {
  const { seed, method, data, sde } = config;
  const { size, pixels, train, zeros } = problem;
  const variants = new Set(sde.processes.map((name) => processes[name].variant));
  const drifts = new Map<SdeVariantName, Executable>();
  for (const variant of variants) drifts.set(variant, await compileDrift(config, problem, variant));
  const estimates = trainingMethods[method.name as TrainingMethodName].eigenvector;
  const refresh = estimates
    ? await compilePower(config, problem, { images: data.batch, iterations: method.iterations })
    : undefined;

  const sums = { h: zeros(size), xiH: zeros(size) };
  const batch = { x: zeros(data.batch * pixels), y: new Int32Array(data.batch) };
  const number = (value: number) => zeros(1).fill(value);
  const [rho, alpha] = [number(method.rho), number(method.alpha)];
  const draw = (...labels: (string | number)[]) => {
    drawIndices(rng(seed, "sde", ...labels), train.count, data.batch).forEach((from, to) => {
      batch.x.set(train.x.subarray(from * pixels, (from + 1) * pixels), to * pixels);
      batch.y[to] = train.y[from]!;
    });
    return batch;
  };

  return {
    advance: async (name, { theta, v }, step) => {
      const { variant, continuous, stream }: Process = processes[name];
      const [substeps, batches] = continuous ? [sde.substeps, sde.batches] : [1, 1];
      if (refresh && step % method.every === 0) {
        const { nextV } = await refresh.run({ theta, v, ...draw(stream, "refresh", step) });
        v.set(nextV!);
      }
      for (let sub = 0; sub < substeps; sub++) {
        const noise = rng(seed, "sde", stream, "noise", step, sub);
        const xi = Array.from({ length: batches }, () => noise.normal());
        sums.h.fill(0);
        sums.xiH.fill(0);
        for (let j = 0; j < batches; j++) {
          const images = draw(stream, "batch", step, sub, j);
          const inputs = { theta, v, rho, alpha, xi: number(xi[j]!), sumH: sums.h, sumXiH: sums.xiH, ...images };
          await drifts.get(variant)!.run(inputs);
        }
        // On one mini-batch the noise cancels, and this is the discrete step θ − ηh.
        eulerMaruyama(theta, sums, { eta: sde.eta, dt: sde.eta / substeps, xi });
      }
    },
    release: async () => {
      for (const drift of drifts.values()) await drift.release();
      await refresh?.release();
    },
  };
}
