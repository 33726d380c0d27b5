import { namesOf } from "../util/names.ts";

/** Where in training the learning rate is asked for, in steps. */
export interface ScheduleArgs {
  readonly step: number;
  readonly stepsPerEpoch: number;
  readonly epochs: number;
  /** Epochs of linear warm-up from 0; the schedule proper covers what follows. */
  readonly warmup: number;
  /** Epochs at which `step` multiplies by gamma. */
  readonly milestones: readonly number[];
  readonly gamma: number;
}

interface Schedule {
  readonly summary: string;
  /** Factor of the base learning rate; `progress` runs from 0 to 1 after the warm-up. */
  factor(progress: number, args: ScheduleArgs): number;
}

/** Learning-rate schedules, evaluated at every step; a new one is one entry. */
export const schedules = {
  constant: { summary: "the same from warm-up to end", factor: () => 1 },
  cosine: {
    summary: "½(1 + cos πt) from 1 to 0 (Loshchilov & Hutter 2017), per step, no restarts",
    factor: (progress) => 0.5 * (1 + Math.cos(Math.PI * progress)),
  },
  "cosine-epoch": {
    summary:
      "½(1 + cos πt), t the part of the epochs that is over: the same for all steps of an epoch, as the authors' code",
    factor: (_, { step, stepsPerEpoch, epochs, warmup }) => {
      const over = Math.max(0, Math.floor(step / stepsPerEpoch) - warmup);
      return 0.5 * (1 + Math.cos((Math.PI * over) / (epochs - warmup)));
    },
  },
  step: {
    summary: "times gamma at every milestone (epochs)",
    factor: (_, { step, stepsPerEpoch, milestones, gamma }) =>
      gamma ** milestones.filter((epoch) => step >= epoch * stepsPerEpoch).length,
  },
} as const satisfies Readonly<Record<string, Schedule>>;

export type ScheduleName = keyof typeof schedules;

/** The names of the learning-rate schedules. */
export const scheduleNames = namesOf(schedules);

/**
 * The learning rate of step `step` (from 0) as a factor of the base rate, with `warmup` epochs of linear growth first.
 *
 * @example
 * ```ts
 * const at = { step: 50, stepsPerEpoch: 10, epochs: 10, warmup: 0, milestones: [], gamma: 0.1 };
 * console.log(scheduleFactor("cosine", at)); // 0.5
 * ```
 */
export function scheduleFactor(name: ScheduleName, args: ScheduleArgs): number {
  const total = args.epochs * args.stepsPerEpoch;
  const warmup = Math.min(total, Math.round(args.warmup * args.stepsPerEpoch));
  if (args.step < warmup) return (args.step + 1) / warmup;
  const progress = total === warmup ? 0 : (args.step - warmup) / (total - warmup);
  return schedules[name].factor(progress, args);
}
