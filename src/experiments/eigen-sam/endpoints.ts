import { summarize } from "../../util/statistics.ts";
import type { StudyRecord } from "../study/record.ts";

/** Part of log 10, the loss of guessing among ten classes, below which a training has left its plateau. */
const FALLEN = 0.98 * Math.log(10);

/** Steps of an epoch, and in all, of a run by its own record. */
function lengthOf({ epochs, config, probes }: StudyRecord): { readonly epoch: number; readonly end: number } {
  const planned = (config.probe as { readonly at: readonly number[] }).at;
  return { epoch: epochs[0]?.step ?? Number.POSITIVE_INFINITY, end: planned.at(-1) ?? probes.at(-1)?.step ?? 0 };
}

/** The looks after the first epoch, but for the one at the end, where no step follows. */
function judged(record: StudyRecord) {
  const { epoch, end } = lengthOf(record);
  return record.probes.filter(({ step }) => step > epoch && step < end);
}

/** Mean v̂ᵀH̄v̂/λ₁ over the looks that judge v̂; undefined for a method without v̂. */
export function qualityOf(record: StudyRecord): number | undefined {
  const ratios = judged(record).flatMap(({ ratio }) => (ratio === undefined ? [] : [ratio]));
  return ratios.length === 0 ? undefined : summarize(ratios).mean;
}

/** Gradients that estimates take over those that steps take: an estimate has one of its own, and a product is as dear as two. */
export const costOf = ({ estimates: { made, products }, steps }: StudyRecord): number =>
  (made + 2 * products) / (2 * steps);

/** Whether a training has left its plateau by the first look after the first epoch. */
export const leftPlateau = (record: StudyRecord): boolean => {
  const { epoch } = lengthOf(record);
  const look = record.probes.find(({ step }) => step > epoch);
  return look !== undefined && look.loss < FALLEN;
};
