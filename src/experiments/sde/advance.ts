import type { Executable } from "../../runtime/compile.ts";
import { drawIndices } from "../../sde/draw.ts";
import { eulerMaruyama } from "../../sde/euler-maruyama.ts";
import type { SdeVariantName } from "../../sde/variants.ts";
import { length } from "../../spectrum/vectors.ts";
import { rng } from "../../util/rng.ts";
import { hyperOf } from "../../train/config.ts";
import type { SdeRunConfig } from "./config.ts";
import { compileDrift, compilePower, hyperInput } from "./graphs.ts";
import type { Problem } from "./problem.ts";
import { type PathName, pathsOf, processOf } from "./processes.ts";
import type { ProcessState } from "./state.ts";

export type DriftErrors = Readonly<Partial<Record<SdeVariantName, number>>>;

/** Moves processes along by one step of the discrete algorithm. */
export interface Stepper {
  advance(path: PathName, state: ProcessState, step: number): Promise<void>;
  /** ‖h̄ − h̄ₑ‖/‖h̄ₑ‖ of each equation's h against the exact one over M mini-batches: the error of its drift at this point. */
  driftErrors(state: ProcessState, step: number): Promise<DriftErrors>;
  release(): Promise<void>;
}

/**
 * Compiles one graph per equation, which sees one mini-batch at a time: besides the states, memory is two vectors as long
 * as θ. Mini-batches and noise are functions of (seed, stream of the process, step, sub-step).
 */
export async function createStepper(config: SdeRunConfig, problem: Problem): Promise<Stepper> {
  const { seed, method, data, sde } = config;
  const { size, pixels, train, zeros, method: rule } = problem;
  const variants = new Set(pathsOf(sde).map((path) => processOf(path).variant));
  const drifts = new Map<SdeVariantName, Executable>();
  for (const variant of variants) drifts.set(variant, await compileDrift(config, problem, variant));
  const refresh = rule.needs.v ? await compilePower(config, problem) : undefined;

  const sums = { h: zeros(size), xiH: zeros(size) };
  const batch = { x: zeros(data.batch * pixels), y: new Int32Array(data.batch) };
  const number = (value: number) => zeros(1).fill(value);
  const hyper = Object.fromEntries(
    Object.entries(hyperOf(rule, method)).map(([name, value]) => [hyperInput(name), number(value)]),
  );
  const draw = (...labels: Labels) => {
    drawIndices(rng(seed, "sde", ...labels), train.count, data.batch).forEach((from, to) => {
      batch.x.set(train.x.subarray(from * pixels, (from + 1) * pixels), to * pixels);
      batch.y[to] = train.y[from]!;
    });
    return batch;
  };

  /** Adds hⱼ and ξⱼhⱼ of mini-batches drawn under these labels, one for each ξⱼ, to sums that begin at zero. */
  const sumUp = async (variant: SdeVariantName, { theta, v }: ProcessState, xi: readonly number[], labels: Labels) => {
    sums.h.fill(0);
    sums.xiH.fill(0);
    for (let j = 0; j < xi.length; j++) {
      const images = draw(...labels, j);
      const inputs = { theta, v, ...hyper, xi: number(xi[j]!), sumH: sums.h, sumXiH: sums.xiH, ...images };
      await drifts.get(variant)!.run(inputs, { reuse: true });
    }
  };

  return {
    advance: async (path, state, step) => {
      const { variant, continuous, stream } = processOf(path);
      const [substeps, batches] = continuous ? [sde.substeps, sde.batches] : [1, 1];
      if (refresh && step % method.every === 0) {
        const { theta, v } = state;
        const { nextV } = await refresh.run({ theta, v, ...draw(stream, "refresh", step) }, { reuse: true });
        v.set(nextV!);
      }
      for (let sub = 0; sub < substeps; sub++) {
        const noise = rng(seed, "sde", stream, "noise", step, sub);
        const xi = Array.from({ length: batches }, () => noise.normal());
        await sumUp(variant, state, xi, [stream, "batch", step, sub]);
        // On one mini-batch the noise cancels, and this is the discrete step θ − ηh.
        eulerMaruyama(state.theta, sums, { eta: sde.eta, dt: sde.eta / substeps, xi });
      }
    },
    driftErrors: async (state, step) => {
      const xi = new Array<number>(sde.batches).fill(0);
      const sumOf = async (variant: SdeVariantName) => {
        await sumUp(variant, state, xi, ["drift error", step]);
        return Float64Array.from(sums.h);
      };
      if (!drifts.has("exact")) return {};
      const exact = await sumOf("exact");
      const errors: Partial<Record<SdeVariantName, number>> = {};
      for (const variant of drifts.keys())
        if (variant !== "exact") errors[variant] = distance(await sumOf(variant), exact) / length(exact);
      return errors;
    },
    release: async () => {
      for (const drift of drifts.values()) await drift.release();
      await refresh?.release();
    },
  };
}

type Labels = readonly (string | number)[];

const distance = (a: Float64Array, b: Float64Array): number => length(a.map((value, i) => value - b[i]!));
