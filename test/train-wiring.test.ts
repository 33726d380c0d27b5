import { describe, expect, it } from "vitest";
import type { Examples } from "../src/api/arrays.ts";
import type { NamedMethod } from "../src/api/options.ts";
import { train } from "../src/api/train.ts";
import type { TrainEvent } from "../src/train/events.ts";
import { batchNorm, linear } from "../src/nn/layers.ts";
import type { Network } from "../src/nn/scope.ts";
import { normOf, relativeError, uniform } from "./support/numbers.ts";
import { rng } from "../src/util/rng.ts";
import { F32, TRAINER_F32 } from "./tolerances.ts";

/** A linear classifier, 4 features to 3 classes, whose gradient is one line: x ⊗ (softmax − target). */
const [FEATURES, CLASSES, ROWS, STEPS, EPOCHS] = [4, 3, 6, 2, 3];
const random = rng(3, "wiring");
const batches: readonly (Examples & { readonly x: number[][]; readonly y: number[] })[] = Array.from(
  { length: STEPS * EPOCHS },
  () => ({
    x: Array.from({ length: ROWS }, () => [...Float32Array.from(uniform(random, FEATURES, -2, 2))]),
    y: Array.from({ length: ROWS }, () => Math.floor(CLASSES * random.uniform())),
  }),
);
const classifier: Network = (scope, x) => linear(scope.at("out"), x, CLASSES);

/** The settings; every one of them changes the numbers. */
const SET = {
  lr: 0.05,
  clip: 1,
  labelSmoothing: 0.2,
  weightDecay: 0.1,
  beta1: 0.8,
  beta2: 0.95,
  eps: 1e-3,
  rho: 0.4,
};

/** Loss and gradient of the smoothed cross-entropy at θ = weight [3, 4] then bias [3], in float64. */
function lossAndGradient(theta: Float64Array, { x, y }: (typeof batches)[number], smoothing: number) {
  const gradient = new Float64Array(theta.length);
  let loss = 0;
  x.forEach((row, i) => {
    const logits = Array.from({ length: CLASSES }, (_, k) =>
      row.reduce((sum, value, j) => sum + value * theta[k * FEATURES + j]!, theta[CLASSES * FEATURES + k]!),
    );
    const logSum = Math.log(logits.reduce((sum, z) => sum + Math.exp(z), 0));
    logits.forEach((z, k) => {
      const target = (1 - smoothing) * Number(y[i] === k) + smoothing / CLASSES;
      loss -= (target * (z - logSum)) / ROWS;
      const slope = (Math.exp(z - logSum) - target) / ROWS;
      row.forEach((value, j) => {
        gradient[k * FEATURES + j]! += slope * value;
      });
      gradient[CLASSES * FEATURES + k]! += slope;
    });
  });
  return { loss, gradient };
}

/** SAM over AdamW with clipping, from θ: what each step sees, and θ after the last. One epoch of warm-up, then the cosine. */
function reference(start: Float64Array) {
  const { lr, clip, labelSmoothing, weightDecay, beta1, beta2, eps, rho } = SET;
  let theta = start;
  const [mean, square] = [new Float64Array(theta.length), new Float64Array(theta.length)];
  const seen = batches.map((batch, t) => {
    const { loss, gradient } = lossAndGradient(theta, batch, labelSmoothing);
    const gradNorm = normOf(gradient);
    const ascended = theta.map((value, i) => value + (rho * gradient[i]!) / gradNorm);
    const direction = lossAndGradient(ascended, batch, labelSmoothing).gradient;
    const length = normOf(direction);
    const scale = Math.min(1, clip / (length + 1e-6));
    const rate =
      lr * (t < STEPS ? (t + 1) / STEPS : (1 + Math.cos((Math.PI * (t - STEPS)) / (STEPS * EPOCHS - STEPS))) / 2);
    theta = theta.map((value, i) => {
      const d = scale * direction[i]!;
      mean[i] = beta1 * mean[i]! + (1 - beta1) * d;
      square[i] = beta2 * square[i]! + (1 - beta2) * d * d;
      const [m, s] = [mean[i]! / (1 - beta1 ** (t + 1)), square[i]! / (1 - beta2 ** (t + 1))];
      return value - rate * weightDecay * value - (rate * m) / (Math.sqrt(s) + eps);
    });
    return { loss, gradNorm, rate, clipped: length > clip };
  });
  return { seen, theta };
}

async function trained(method: NamedMethod) {
  const { lr, clip, labelSmoothing, weightDecay, beta1, beta2, eps } = SET;
  const run = train({
    data: {
      train: (epoch) => batches.slice(epoch * STEPS, (epoch + 1) * STEPS),
      stepsPerEpoch: STEPS,
      classes: CLASSES,
    },
    model: classifier,
    method,
    optimizer: { name: "adamw", lr, weightDecay, beta1, beta2, eps },
    schedule: { name: "cosine", warmup: 1 },
    labelSmoothing,
    clip,
    epochs: EPOCHS,
    seed: 5,
    threads: 1,
  });
  const events: TrainEvent[] = [];
  for await (const event of run) events.push(event);
  const result = await run.done;
  const weights = result.weights();
  await result.release();
  const theta = ["out.weight", "out.bias"].flatMap((name) => [...weights[name]!.data]);
  return { theta, events, steps: events.filter((event) => event.event === "step") };
}

/** PyTorch's default start of a linear layer, from the seed's own streams. */
const start = Float64Array.from(
  [
    ["out.weight", CLASSES * FEATURES],
    ["out.bias", CLASSES],
  ].flatMap(([name, size]) => {
    const stream = rng(5, "theta", name!);
    return Array.from({ length: size as number }, () => Math.fround((2 * stream.uniform() - 1) / Math.sqrt(FEATURES)));
  }),
);

describe("a whole run of AdamW with clipping, label smoothing and warm-up", () => {
  const { seen, theta } = reference(start);
  /** As events have it: the mean over the epoch so far. */
  const losses = seen.map(({ loss }, t) => (t % STEPS === 0 ? loss : (seen[t - 1]!.loss + loss) / 2));

  it("clips some steps and not others, so that it is seen", () => {
    expect(new Set(seen.map(({ clipped }) => clipped))).toEqual(new Set([true, false]));
  });

  it("with SAM ends where float64 does, by the same losses, gradients and rates", async () => {
    const ours = await trained({ name: "sam", rho: SET.rho });
    const of = (key: "loss" | "lr") => ours.steps.map((step) => step[key]);
    expect(
      relativeError(
        of("lr"),
        seen.map(({ rate }) => rate),
      ),
    ).toBeLessThan(F32);
    expect(relativeError(of("loss"), losses)).toBeLessThan(F32);
    const norms = ours.steps.map(({ metrics }) => metrics.gradNorm!);
    expect(
      relativeError(
        norms,
        seen.map(({ gradNorm }) => gradNorm),
      ),
    ).toBeLessThan(F32);
    expect(relativeError(ours.theta, theta)).toBeLessThan(F32);
  });

  it("with Eigen-SAM warmed up by SAM is SAM until its first estimate", async () => {
    const { name, rho } = { name: "eigen-sam", rho: SET.rho } as const;
    const ours = await trained({ name, rho, warmup: "sam", every: 5, solver: "power" });
    expect(ours.events.filter((event) => event.event === "refresh").map(({ step }) => step)).toEqual([5]);
    expect(
      relativeError(
        ours.steps.map(({ loss }) => loss),
        losses,
      ),
    ).toBeLessThan(F32);
    expect(relativeError(ours.theta, theta)).toBeGreaterThan(TRAINER_F32);
  });
});

describe("running statistics of batch norm", () => {
  it.each([
    ["sgd", { name: "sgd" }],
    ["two passes", { name: "sam", rho: 0.5 }],
    ["an estimate of v before every step", { name: "eigen-sam", rho: 0.5, solver: "power", every: 1, iterations: 2 }],
  ] as const)("move once per step: %s", async (_, method) => {
    const { x, y } = batches[0]!;
    const normed: Network = (scope, features) => linear(scope.at("out"), batchNorm(scope.at("bn"), features), CLASSES);
    const options = { data: { train: { x, y }, classes: CLASSES }, model: normed, method, threads: 1 } as const;
    const run = await train({ ...options, optimizer: { lr: 0.1 }, epochs: 3 }).done;
    const weights = run.weights();
    await run.release();
    const column = (j: number) => x.map((row) => row[j]!);
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const means = Array.from({ length: FEATURES }, (_, j) => mean(column(j)));
    const variances = means.map((m, j) => (mean(column(j).map((value) => (value - m) ** 2)) * ROWS) / (ROWS - 1));
    // One update moves 0.1 of the way: three have come to 0.271, six to 0.469; the features are the same whatever the weights.
    expect(
      relativeError(
        weights["bn.running_mean"]!.data,
        means.map((m) => 0.271 * m),
      ),
    ).toBeLessThan(F32);
    expect(
      relativeError(
        weights["bn.running_var"]!.data,
        variances.map((v) => 0.729 + 0.271 * v),
      ),
    ).toBeLessThan(F32);
  });
});
