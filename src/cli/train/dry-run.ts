import type { Dataset } from "../../data/dataset.ts";
import { splitValidation } from "../../data/split.ts";
import type { TrainConfig } from "../../train/config.ts";
import { optimizerOf } from "../../train/graphs.ts";
import { imageFormat, modelOf } from "../../train/problem.ts";
import { configToml } from "../../train/settings.ts";
import { initialState } from "../../train/state.ts";
import { trainingBatches } from "../../train/training-batches.ts";
import { createTrainer } from "../../train/trainer.ts";
import { median } from "../../util/statistics.ts";
import { duration, grouped } from "../format.ts";
import { emit } from "../ui.ts";

const STEPS = 5;

/** What a run would be and cost: nothing is written. Times are medians of a few real steps. */
export async function dryRun(config: TrainConfig, dataset: Dataset, json: boolean): Promise<void> {
  const { train } = splitValidation(dataset.train, config.data.validation, config.seed);
  const format = imageFormat(dataset);
  const model = modelOf(config, format, config.data.batch);
  const trainer = await createTrainer(config, model, format, initialState(model, optimizerOf(config), config.seed));
  const batches = trainingBatches(config, dataset, train, {
    from: { epoch: 0, step: 0 },
    epochs: Math.max(config.train.epochs, STEPS + 1),
  });
  const { interval } = trainer;
  const refreshDue = interval > 0 && trainer.refreshDue({ step: interval, stepInEpoch: interval });
  const seconds: number[] = [];
  let refreshSeconds = 0;
  try {
    for (let i = 0; i < STEPS + 1; i++) {
      const images = (await batches.next())!;
      // The first run of each graph pays for memory, and is not counted.
      if (i < 2 && refreshDue) refreshSeconds = await timed(() => trainer.refresh(images));
      const step = await timed(() => trainer.step(images, config.optimizer.lr));
      if (i > 0) seconds.push(step);
    }
  } finally {
    await batches.close();
    await trainer.release();
  }
  const stepSeconds = median(seconds);
  const { stepsPerEpoch } = batches;
  const refreshes = refreshSeconds > 0 ? stepsPerEpoch / interval : 0;
  const epochSeconds = stepSeconds * stepsPerEpoch + refreshes * refreshSeconds;
  const facts = {
    parameters: model.parameters.size,
    images: train.count,
    stepsPerEpoch,
    steps: stepsPerEpoch * config.train.epochs,
    memoryMiB: Math.round(process.resourceUsage().maxRSS / 1024),
    stepSeconds,
    refreshSeconds,
    epochSeconds,
    totalSeconds: epochSeconds * config.train.epochs,
  };
  if (json) {
    emit({ event: "dry-run", config, ...facts });
    return;
  }
  console.log(configToml(config).trimEnd());
  console.log(
    [
      "",
      `parameters  ${grouped(facts.parameters)}`,
      `images      ${grouped(facts.images)} for training, ${grouped(dataset.train.count - facts.images)} for validation, ${grouped(dataset.test.count)} for the test`,
      `steps       ${grouped(facts.steps)} in all, ${grouped(stepsPerEpoch)} per epoch`,
      `memory      ${grouped(facts.memoryMiB)} MiB at most, the images included`,
      `one step    ${(1000 * stepSeconds).toFixed(1)} ms, median of ${STEPS}${refreshSeconds > 0 ? `; one estimate of v ${(1000 * refreshSeconds).toFixed(0)} ms` : ""}`,
      `one epoch   ${duration(epochSeconds)}, ${duration(facts.totalSeconds)} in all, without scoring`,
    ].join("\n"),
  );
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}
