import type { Batch, Dataset, Split } from "../../src/data/dataset.ts";
import { add, mul } from "../../src/graph/ops/elementwise.ts";
import { radius } from "../../src/optim/hyper.ts";
import { defineMethod, gradAt } from "../../src/optim/method.ts";
import type { Quality } from "../../src/optim/refresh-plan.ts";
import { builtIn, extended } from "../../src/train/registry.ts";
import { openSession, problemOf, type Session } from "../../src/train/session.ts";
import { trainSettings } from "../../src/train/settings.ts";
import { rng } from "../../src/util/rng.ts";
import { CLASSES, FEATURES, gradientByHand, handNet, scoreByHand } from "./by-hand.ts";
import { along, dotOf, normOf, uniform } from "./numbers.ts";

export const [ROWS, RHO, ALPHA, LR, SEED] = [6, 0.4, 0.3, 0.1, 3];
export const GOOD: Quality = { made: true, failures: 0, at: 0 };
export const BAD: Quality = { made: true, failures: 1, at: 0 };

/** Steps along g of some parameters and along what it keeps, which grows by g. */
export const keeper = defineMethod({
  name: "keeper",
  title: "Keeper",
  summary: "m·g + slow",
  hyper: { rho: radius() },
  state: { slow: "theta", fast: "zeros" },
  needs: { v: true, mask: ({ name }) => name.startsWith("out.") },
  descend: ({ f, theta, g, v, mask, rho, slow, fast }) => ({
    direction: add(mul(mask, gradAt(f, add(theta, mul(rho, v)))), add(slow, fast)),
    epsilon: mul(rho, v),
    slow: add(slow, g),
    fast: add(fast, mul(2, g)),
  }),
});

export const registry = extended(builtIn, [handNet, keeper]);
export const draw = (label: string, count: number): Split => {
  const random = rng(1, label);
  return {
    x: Float32Array.from(uniform(random, count * FEATURES, -2, 2)),
    y: Int32Array.from({ length: count }, () => Math.floor(CLASSES * random.uniform())),
    count,
  };
};
export const dataset: Dataset = {
  name: "drawn",
  targets: { kind: "labels", classes: CLASSES },
  inputShape: [FEATURES],
  mean: [],
  std: [],
  train: draw("train", 20),
  test: draw("test", 8),
};
export const batch: Batch = draw("batch", ROWS);

/** Far from those of any mini-batch, so that which of the two is taken is seen. */
export const RUNNING = Float32Array.of(0.7, -0.9, 3, 0.4);

export const open = (method: object, more: Record<string, object> = {}) => {
  const config = trainSettings(registry).check({
    seed: SEED,
    threads: 1,
    model: { name: "hand-net" },
    data: { batch: ROWS, validation: 0 },
    method: { rho: RHO, ...method },
    optimizer: { lr: LR, momentum: 0, weightDecay: 0 },
    ...more,
  });
  return openSession(problemOf(config, dataset, registry));
};

/** The sessions that tests opened, to be released after them. */
export const sessions: Session[] = [];
/** Frees the sessions that tests opened. */
export const releaseAll = async () => {
  for (const session of sessions.splice(0)) await session.release();
};

/** A session whose state is away from the beginning: statistics and v of its own, v known to be what `quality` says. */
export async function begun(quality: Quality, method: object, more: Record<string, object> = {}) {
  const session = await open(method, more);
  sessions.push(session);
  const { state } = session;
  state.buffers.set(RUNNING);
  // Batch norm's scale and shift start as constants.
  const random = rng(2, "moved");
  state.theta.forEach((value, i) => {
    state.theta[i] = value + 0.2 * random.normal();
  });
  state.quality = quality;
  return session;
}

export const trainingLoss = (theta: ArrayLike<number>, on: Batch = batch) => scoreByHand(theta, on, undefined).loss;
export const gradient = (theta: ArrayLike<number>, on: Batch = batch) =>
  gradientByHand((at) => trainingLoss(at, on), theta);
export const unit = (x: ArrayLike<number>) => Float64Array.from(x, (value) => value / normOf(x));
export const cosine = (a: ArrayLike<number>, b: ArrayLike<number>) => Math.abs(dotOf(a, b)) / normOf(a) / normOf(b);
/** ε of Eigen-SAM, ρ(ĝ + α·sign⟨g,v⟩·v⊥). */
export const eigenSam = (g: ArrayLike<number>, v: ArrayLike<number>, rho = RHO, alpha = ALPHA) => {
  const u = unit(g);
  const along_ = dotOf(u, v);
  return along(u, along(v, u, -along_), alpha * Math.sign(along_)).map((value) => rho * value);
};
export const stepped = (theta: ArrayLike<number>, epsilon: ArrayLike<number>, lr = LR) =>
  along(theta, gradient(along(theta, epsilon, 1)), -lr);
export const times = (x: ArrayLike<number>, t: number) => Float64Array.from(x, (value) => t * value);
