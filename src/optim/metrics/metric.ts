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
 * Declares a step metric. It appears in records, figures, tables and, on request, the progress line.
 *
 * @example
 * ```ts
 * const thetaNorm = defineMetric({ name: "thetaNorm", title: "Parameter norm", symbol: "‖θ‖", about: "norm of θ", of: ({ theta }) => norm(theta) });
 * ```
 * @throws DeclarationError where the name is that of another field of a step
 */
export function defineMetric(metric: Omit<StepMetric, "kind">): StepMetric {
  const { name } = metric;
  if (RESERVED.includes(name))
    throw new DeclarationError(
      `a metric cannot be called ${name}: every step has a field of this name`,
      { name },
      `reserved: ${RESERVED.join(", ")}`,
    );
  return { kind: "metric", ...metric };
}

/** The other fields of a step in metrics.jsonl. */
const RESERVED: readonly string[] = ["kind", "step", "epoch", "lr", "loss"];

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
