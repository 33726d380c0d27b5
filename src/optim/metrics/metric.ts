import type { Tensor } from "../../graph/tensor.ts";
import { DeclarationError } from "../../util/errors.ts";
import type { Point } from "../point.ts";

/** What a step metric sees: the mini-batch at θ, the direction that is descended, and ε where the method perturbs. */
export interface StepPoint extends Point {
  readonly loss: Tensor;
  readonly direction: Tensor;
  readonly epsilon: Tensor | undefined;
}

/** How a metric is shown. It stands in run.json, so that reports draw it without knowing who declared it. */
export interface StepMetricInfo {
  /** The field of a step's line in metrics.jsonl. */
  readonly name: string;
  readonly title: string;
  readonly symbol: string;
  /** One line: what the number is. */
  readonly about: string;
  /** Name of the files of its figure, and of its columns in CSV; left out, `name`. */
  readonly id?: string | undefined;
  readonly figure?:
    | {
        readonly title: string;
        /** The first half of the caption. */
        readonly shows: string;
        /** What a run lacks that has no such numbers. */
        readonly needs: string;
        /** The values it can have; the axis does not go beyond. */
        readonly within?: readonly [number, number] | undefined;
        /** The axis begins at zero. */
        readonly zero?: boolean | undefined;
        /** The axis is never logarithmic. */
        readonly linear?: boolean | undefined;
      }
    | undefined;
  /** What of it the table of results shows. */
  readonly table?: "mean" | "last" | undefined;
  /** Whether the progress line shows it. */
  readonly progress?: boolean | undefined;
}

/** A number that every training step records. */
export interface StepMetric extends StepMetricInfo {
  readonly kind: "metric";
  /** It reads v, and is recorded only where v has been estimated. */
  readonly eigenvector?: boolean;
  /** The number as a scalar tensor, or undefined where the method has none (no ε, say). */
  of(at: StepPoint): Tensor | undefined;
}

/**
 * Declares a number that every training step records. It appears in records, figures, tables and, on request, the
 * progress line.
 *
 * @example
 * ```ts
 * const thetaNorm = defineMetric({
 *   name: "thetaNorm",
 *   title: "Parameter norm",
 *   symbol: "‖θ‖",
 *   about: "norm of θ",
 *   of: ({ theta }) => norm(theta),
 * });
 * console.log(thetaNorm.kind); // metric
 * ```
 * @throws DeclarationError where the name is reserved or no identifier
 */
export function defineMetric(metric: Omit<StepMetric, "kind">): StepMetric {
  const { name } = metric;
  if (RESERVED.has(name) || !/^[a-zA-Z][a-zA-Z0-9]*$/.test(name))
    throw new DeclarationError(
      `metric ${JSON.stringify(name)}: ${RESERVED.has(name) ? "the name is reserved" : "the name is no identifier"}`,
      { name },
      `reserved: ${[...RESERVED].join(", ")}`,
    );
  return { kind: "metric", ...metric };
}

/** The other fields of a step's line, and of what a step returns. */
const RESERVED: ReadonlySet<string> = new Set(["kind", "step", "epoch", "lr", "loss", "correct", "accuracy"]);

/** What run.json keeps of a metric. */
export const infoOf = ({ name, title, symbol, about, id, figure, table, progress }: StepMetric): StepMetricInfo => ({
  name,
  title,
  symbol,
  about,
  ...(id ? { id } : {}),
  ...(figure ? { figure } : {}),
  ...(table ? { table } : {}),
  ...(progress ? { progress } : {}),
});
