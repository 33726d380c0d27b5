import type { Method } from "../optim/method.ts";
import { copyRun } from "../run/copy.ts";
import type { TrainEvent } from "../train/events.ts";
import { trainLoop } from "../train/loop.ts";
import { trainRunOf } from "../train/run-dir.ts";
import { trainIn } from "../train/run-training.ts";
import { problemOf } from "../train/session.ts";
import { eventQueue } from "./event-queue.ts";
import { memoryStore } from "./memory.ts";
import type { TrainOptions } from "./options.ts";
import { resolveOptions } from "./resolve-options.ts";
import { type Trained, trainedOf } from "./trained.ts";

/** How to listen to a run, and how to stop it. */
export interface TrainHooks {
  /** Called with every event, in order, while the run goes on. */
  readonly onEvent?: (event: TrainEvent) => void;
  /** Asks to stop after the step at hand: the run then ends as "stopped", with everything kept. */
  readonly signal?: AbortSignal;
}

/** A run at work. It goes on whether or not anyone listens; `for await` gives its events from the moment it is asked. */
export interface TrainingRun extends AsyncIterable<TrainEvent> {
  /** The trained network, when the run is done or was stopped; rejects where it failed. */
  readonly done: Promise<Trained>;
  /** Asks to stop after the step at hand, like the signal. */
  stop(): void;
}

/**
 * Trains a network, and returns the run at work at once. Nothing is written unless `dir` is given: then everything is
 * kept in that run directory, and the same call resumes a run in it that was stopped or killed, to the same bytes.
 * Steps run on the calling thread, with `threads` of ONNX Runtime (one per core); other tasks of the process get their
 * turn between steps. Your arrays are read and never changed. `seed` (1) decides initialization, order, augmentation
 * and the first eigenvector. Ctrl-C is yours to handle: pass a `signal`. Training graphs are freed at the end; the
 * result's `release` frees the rest.
 * `done` rejects with ConfigError (an option is unknown or out of range), DataError (arrays do not fit) or
 * TrainingError (the loss became infinite or not a number; a file could not be written).
 *
 * @example
 * ```ts
 * const data = { train: { x: [[0], [1], [2], [3]], y: [[1], [3], [5], [7]] } };
 * const model: Network = (scope, x) => linear(scope.at("out"), x, 1);
 * const method = { name: "sam", rho: 0.001 } as const;
 * const optimizer = { lr: 0.05, weightDecay: 0 };
 * const run = train({ data, model, method, optimizer, epochs: 200, batch: 4 });
 * for await (const event of run) if (event.event === "epoch" && event.epoch === 200) console.log(event.step); // 200
 * const { predict, release } = await run.done;
 * console.log(Math.round((await predict([[10]])).data[0] ?? 0)); // 21
 * await release();
 * ```
 */
export function train<M extends Method = Method>(
  options: TrainOptions<M>,
  { onEvent, signal }: TrainHooks = {},
): TrainingRun {
  const controller = new AbortController();
  const stop = signal === undefined ? controller.signal : AbortSignal.any([signal, controller.signal]);
  const events = eventQueue<TrainEvent>();
  const listen = (event: TrainEvent) => {
    onEvent?.(event);
    events.push(event);
  };
  const done = run(options, listen, stop).then(
    (trained) => {
      events.end();
      return trained;
    },
    (error) => {
      // Whoever reads the events gets the error there, and need not ask for `done`.
      if (events.fail(error)) done.catch(() => undefined);
      throw error;
    },
  );
  return { done, stop: () => controller.abort(), [Symbol.asyncIterator]: events.iterate };
}

async function run<M extends Method>(
  options: TrainOptions<M>,
  listen: (event: TrainEvent) => void,
  stop: AbortSignal,
): Promise<Trained> {
  const { config, dataset, registry } = await resolveOptions(options);
  const problem = problemOf(config, dataset, registry);
  const { dir } = options;
  const begun = performance.now();
  const seconds = () => (performance.now() - begun) / 1000;
  if (dir === undefined) {
    const store = memoryStore(problem);
    const outcome = await trainLoop({ problem, open: () => store, listen, stop });
    return trainedOf(problem, outcome, { dir, saveTo: store.saveTo, seconds: seconds() });
  }
  const kind = trainRunOf(registry);
  const made = await kind.ensure(dir, config);
  const outcome = await trainIn(dir, problem, { resume: true, registry, listen, stop }).catch((error) => {
    if (made) kind.discard(dir, config);
    throw error;
  });
  return trainedOf(problem, outcome, { dir, saveTo: (target) => copyRun(dir, target), seconds: seconds() });
}
