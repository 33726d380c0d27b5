import { isSplit } from "../../data/dataset.ts";
import { openSession, type Problem } from "../../train/session.ts";
import { notesOf } from "../../train/notes.ts";
import { configToml } from "../../train/settings.ts";
import { median } from "../../util/statistics.ts";
import { duration, grouped } from "../format.ts";
import { emit } from "../ui.ts";

const STEPS = 5;

/** What a run would be and cost: nothing is written. Times are medians of a few real steps. */
export async function dryRun(problem: Problem, json: boolean): Promise<void> {
  const { config, dataset, train, val, model, plan } = problem;
  const session = await openSession({ ...problem, config: longEnough(config) });
  const { state, stepper, batches, stepsPerEpoch } = session;
  const { interval } = plan;
  const due = plan.tracked && interval > 0 && plan.due({ step: interval, stepInEpoch: interval }, true);
  const seconds: number[] = [];
  let refreshSeconds = 0;
  try {
    for (let i = 0; i < STEPS + 1; i++) {
      const examples = (await batches.next())!;
      // The first run of each graph pays for memory, and is not counted.
      if (i < 2 && due) refreshSeconds = await timed(() => stepper.refresh(state, examples));
      const step = await timed(() => stepper.step(state, examples, { lr: config.optimizer.lr }));
      if (i > 0) seconds.push(step);
    }
  } finally {
    await session.release();
  }
  const stepSeconds = median(seconds);
  const refreshes = refreshSeconds > 0 ? stepsPerEpoch / interval : 0;
  const epochSeconds = stepSeconds * stepsPerEpoch + refreshes * refreshSeconds;
  const facts = {
    parameters: model.parameters.size,
    images: isSplit(train) ? train.count : train.stepsPerEpoch * train.batch,
    stepsPerEpoch,
    steps: stepsPerEpoch * config.train.epochs,
    memoryMiB: Math.round(process.resourceUsage().maxRSS / 1024),
    stepSeconds,
    refreshSeconds,
    epochSeconds,
    totalSeconds: epochSeconds * config.train.epochs,
  };
  if (json) {
    emit({ event: "dry-run", config, ...facts, notes: notesOf(problem) });
    return;
  }
  console.log(configToml(config).trimEnd());
  console.log(
    [
      "",
      `parameters  ${grouped(facts.parameters)}`,
      `examples    ${grouped(facts.images)} for training, ${grouped(val?.count ?? 0)} for validation, ${grouped(dataset.test?.count ?? 0)} for the test`,
      ...(dataset.targets.kind === "labels" ? [`classes     ${grouped(dataset.targets.classes)}`] : []),
      `steps       ${grouped(facts.steps)} in all, ${grouped(stepsPerEpoch)} per epoch`,
      `memory      ${grouped(facts.memoryMiB)} MiB at most, the examples included`,
      `one step    ${(1000 * stepSeconds).toFixed(1)} ms, median of ${STEPS}${refreshSeconds > 0 ? `; one estimate of v ${(1000 * refreshSeconds).toFixed(0)} ms` : ""}`,
      `one epoch   ${duration(epochSeconds)}, ${duration(facts.totalSeconds)} in all, without scoring`,
      ...notesOf(problem).map((note) => `note: ${note}`),
    ].join("\n"),
  );
}

/** Epochs for all the steps that are timed, however short an epoch is. */
const longEnough = (config: Problem["config"]): Problem["config"] => ({
  ...config,
  train: { ...config.train, epochs: Math.max(config.train.epochs, STEPS + 1) },
});

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}
