import type { Inputs, Split, TargetArray } from "../data/dataset.ts";
import type { CompileOptions, Executable } from "../runtime/compile.ts";
import { type Confusion, countClasses, emptyConfusion } from "./confusion.ts";
import { compileEvaluation, compilePrediction } from "./graphs.ts";
import type { Score } from "./records.ts";
import { hasClasses, modelFor, type Task } from "./task.ts";
import type { Weights } from "./weights.ts";

/** Scores weights on whole splits, and predicts; graphs are compiled when they are first needed. */
export interface Evaluator {
  /** Mean loss and accuracy over a split. */
  score(weights: Weights, split: Split): Promise<Score>;
  /** The same in the same pass, and which classes were taken for which, where each example has one of up to 100. */
  scoreClasses(weights: Weights, split: Split): Promise<{ readonly score: Score; readonly confusion?: Confusion }>;
  /** Predictions [count, …]: probabilities where the loss takes logits, else the network's outputs. */
  predict(weights: Weights, x: Inputs, count: number): Promise<Float32Array>;
  /** The network's outputs [count, …], of which probabilities are made. */
  outputs(weights: Weights, x: Inputs, count: number): Promise<Float32Array>;
  release(): Promise<void>;
}

type Form = "predictions" | "outputs";

/** More classes make a table that nobody reads. */
const MOST_CLASSES = 100;

/** Batches of `batch` examples. The last, short one is filled up with copies of its last row, of weight 0, or has a graph of its own size. */
export function createEvaluator(task: Task, batch: number, options: CompileOptions): Evaluator {
  const graphs = new Map<string, Promise<Executable>>();
  const graph = (kind: "score" | Form, rows: number): Promise<Executable> => {
    const key = `${kind}/${rows}`;
    const known = graphs.get(key);
    if (known) return known;
    const model = modelFor(task, rows);
    const compiled =
      kind === "score" ? compileEvaluation(task, model, options) : compilePrediction(task, model, options, kind);
    graphs.set(key, compiled);
    // What failed is not kept, and so not released.
    compiled.catch(() => graphs.delete(key));
    return compiled;
  };
  const fillsUp = task.loss.each !== undefined;
  const passes =
    (form: Form): Evaluator["predict"] =>
    async ({ theta, buffers }, x, count) => {
      const parts: Float32Array[] = [];
      // Predictions read no targets, but a batch has some.
      for (const { rows, x: some, size } of cut({ x, y: new Int32Array(count), count }, batch, true)) {
        const { prediction } = await (await graph(form, size)).run({ theta, buffers, x: some }, { reuse: true });
        const all = prediction as Float32Array;
        parts.push(all.slice(0, (all.length / size) * rows));
      }
      return joined(parts);
    };

  const scored = async ({ theta, buffers }: Weights, split: Split, confusion?: Confusion): Promise<Score> => {
    let [loss, correct] = [0, 0];
    for (const { rows, x, y, size } of cut(split, batch, fillsUp)) {
      const weight = new Float32Array(size).fill(1, 0, rows);
      const results = await (await graph("score", size)).run({ theta, buffers, x, y, weight }, { reuse: true });
      loss += results.loss![0]!;
      correct += results.correct?.[0] ?? 0;
      if (confusion)
        countClasses(
          confusion,
          (results.outputs as Float32Array).subarray(0, rows * confusion.length),
          y.subarray(0, rows),
        );
    }
    const accuracy = task.loss.correct ? { accuracy: correct / split.count } : {};
    return { loss: loss / split.count, ...accuracy };
  };

  return {
    score: (weights, split) => scored(weights, split),
    scoreClasses: async (weights, split) => {
      const width = hasClasses(task) ? (modelFor(task, batch).outputShape.at(-1) ?? 0) : 0;
      if (width === 0 || width > MOST_CLASSES) return { score: await scored(weights, split) };
      const confusion = emptyConfusion(width);
      return { score: await scored(weights, split, confusion), confusion };
    },
    predict: passes("predictions"),
    outputs: passes("outputs"),
    release: async () => {
      for (const compiled of graphs.values()) await (await compiled).release();
    },
  };
}

/** A split in batches of `batch` examples; the last is filled up to that size, or left short. */
function cut({ x, y, count }: Split, batch: number, fillUp: boolean) {
  const [perX, perY] = [x.length / count, y.length / count];
  return Array.from({ length: Math.ceil(count / batch) }, (_, i) => {
    const from = i * batch;
    const rows = Math.min(batch, count - from);
    const size = fillUp ? batch : rows;
    const part = <T extends Inputs | TargetArray>(values: T, per: number): T =>
      filled(values.subarray(from * per, (from + rows) * per) as T, size * per, per);
    return { rows, size, x: part(x, perX), y: part(y, perY) };
  });
}

/** The values with their last `per` repeated: rows that a network takes as well as any other, whatever it divides by. */
function filled<T extends Inputs | TargetArray>(values: T, length: number, per: number): T {
  if (values.length === length) return values;
  const result = new (values.constructor as new (length: number) => T)(length);
  result.set(values);
  const last = values.subarray(values.length - per);
  for (let at = values.length; at < length; at += per) result.set(last, at);
  return result;
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const result = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}
