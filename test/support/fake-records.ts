import type { StudyRecord } from "../../src/experiments/study/record.ts";
import type { StudyRun } from "../../src/experiments/study/run.ts";
import { trainingMethods } from "../../src/optim/methods/index.ts";

/** What is made up of a run. */
export interface MadeUpRun {
  readonly testAccuracy: number;
  readonly valAccuracy?: number;
  /** λ₁·loss, the same at every look. */
  readonly sharpness?: number;
  /** |cos(ε, v₁)| at every look. */
  readonly alignment?: number;
  readonly stepSeconds?: number;
  readonly memoryMiB?: number;
}

/** A record of a planned run with made-up numbers, complete in every field that a report reads. */
export function fakeRecord(run: StudyRun, made: MadeUpRun): StudyRecord {
  const { name, network, arm, config } = run;
  const { testAccuracy, valAccuracy, sharpness = 10, alignment = 0.3, stepSeconds = 0.01, memoryMiB } = made;
  const [epochs, perEpoch] = [config.train.epochs, 10];
  const score = (accuracy: number) => ({ loss: 2 - accuracy, accuracy });
  const val = valAccuracy === undefined ? null : score(valAccuracy);
  const test = score(testAccuracy);
  const lines = Array.from({ length: epochs }, (_, i) => ({
    ...{ epoch: i + 1, step: (i + 1) * perEpoch, train: score(testAccuracy), val },
    ...(config.train.testEvery > 0 ? { test } : {}),
  }));
  const looks = [2, 1.5, 1].map((loss, i) => ({
    ...{ step: i * 5, epoch: 1, loss, eigenvalue: sharpness / loss, residual: 0.01 },
    ...{ eigenvalues: [sharpness / loss], residuals: [0.01], products: 5, batches: 2, images: 200 },
    ...(i < 2 ? { cosGrad: 0.3, ...(config.method.name === "sgd" ? {} : { cosEps: alignment }) } : {}),
  }));
  const method = Object.values(trainingMethods).find((each) => each.name === config.method.name)!;
  const versions = { eigensam: "0", node: "0", onnxruntime: "0" };
  const { name: data, labelNoise } = config.data;
  return {
    version: 1,
    ...{ name, network, arm, seed: config.seed, status: "done", config: { ...config }, parameters: 10, digests: {} },
    ...{ versions, steps: epochs * perEpoch, stepsAlongV: 0, estimates: { made: 0, good: 0, products: 0 } },
    ...{ probes: looks, epochs: lines, test, seconds: { step: stepSeconds, steps: 1, estimates: 0, probe: 0 } },
    ...(memoryMiB === undefined ? {} : { memoryMiB }),
    run: {
      ...{ kind: "train", version: 1, status: "done", pid: 1, device: "cpu", threads: 1, versions },
      config: { ...config, data: { ...config.data, labelNoise } },
      method: { name: method.name, title: method.title, eigenvector: method.needs.v === true },
      model: { name: config.model.name, parameters: 10 },
      data: { name: data, train: 100, val: 10, test: 10 },
      startedAt: "2026-01-01T00:00:00.000Z",
      result: { epochs, train: score(testAccuracy), val, test, seconds: 10 },
    },
    times: {
      epochs: lines.map(({ epoch }) => ({
        ...{ kind: "epoch", epoch, seconds: 1, imagesPerSecond: 100, dataWait: 0, stepSeconds },
      })),
      refreshes: [],
    },
  } satisfies StudyRecord;
}
