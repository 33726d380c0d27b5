import type { TrainEvent } from "../../train/events.ts";
import { colors } from "../colors.ts";
import { duration, grouped, percent, short } from "../format.ts";
import { reportProgress } from "../parent.ts";
import { eta, type Field, progressLine, room, sayFields } from "../progress-line.ts";
import { say } from "../ui.ts";
import { folded } from "../width.ts";
import { TALLY_INDENT, tallyLines } from "./tally.ts";

type EventOf<Name extends TrainEvent["event"]> = Extract<TrainEvent, { event: Name }>;

/** When the time per step is known well enough, and what counts as long. */
const [SETTLED_SECONDS, SETTLED_STEPS, LONG_SECONDS] = [3, 5, 60];

/** Tells a person, and a pool, how training goes: one line that renews itself, and one that stays per epoch. */
export function progressView(): (event: TrainEvent) => void {
  const line = progressLine();
  let [epochs, stepsPerEpoch, first, begun] = [0, 0, 0, 0];
  let [eigenvalue, solver]: [Field[], Field[]] = [[], []];
  let estimated = false;

  const stepFields = (event: EventOf<"step">): Field[] => {
    const [done, inEpoch] = [event.step + 1, event.stepInEpoch + 1];
    const left = epochs * stepsPerEpoch - done;
    return [
      { rank: 9, text: `epoch ${event.epoch}/${epochs}` },
      { rank: 3, fraction: inEpoch / stepsPerEpoch },
      { rank: 5, text: `${inEpoch}/${stepsPerEpoch}` },
      { rank: 8, text: `loss ${event.loss.toFixed(3)}` },
      ...accuracyOf("acc", event, 6),
      ...eigenvalue,
      ...solver,
      ...Object.entries(event.extra).map(([label, value]) => ({ rank: 2, text: `${label} ${short(value)}` })),
      { rank: 1, text: `lr ${short(event.lr)}` },
      ...speed(event, 0),
      ...eta((performance.now() - begun) / 1000, done - first, left, 7),
    ];
  };

  /** Says once how long a long run takes, before anyone waits for it. */
  const estimate = ({ step }: EventOf<"step">) => {
    const [made, seconds] = [step + 1 - first, (performance.now() - begun) / 1000];
    if (estimated || seconds < SETTLED_SECONDS || made < SETTLED_STEPS) return;
    estimated = true;
    const left = (seconds / made) * (epochs * stepsPerEpoch - step - 1);
    if (left < LONG_SECONDS) return;
    const perEpoch = (seconds / made) * stepsPerEpoch;
    say(
      `about ${duration(left)} to go, ${duration(perEpoch)} an epoch; Ctrl-C saves, and --resume continues. A smaller model.width or model.name=mlp is faster`,
    );
  };

  return (event) => {
    switch (event.event) {
      case "start": {
        const { method, model, data, seed, device, train } = event.config;
        const { classes, notes } = event;
        [epochs, stepsPerEpoch, first, begun] = [train.epochs, event.stepsPerEpoch, event.step, performance.now()];
        reportProgress(first, epochs * stepsPerEpoch);
        say(
          `${colors.bold(method.name)} · ${model.name} · ${data.name} · seed ${seed} · ${device}${classes === undefined ? "" : ` · ${grouped(classes)} classes`}    ${colors.dim(event.run)}`,
        );
        for (const note of notes) say(`note: ${note}`);
        if (first > 0) say(`resumed after step ${first}`);
        return;
      }
      case "wait":
        say(event.message);
        return;
      case "refresh":
        solver = event.used ? [] : [{ rank: 2, text: "v̂ not good yet: SAM" }];
        return;
      case "probe":
        eigenvalue = [{ rank: 4, text: `λ₁ ${short(event.eigenvalue)} @${event.step}` }];
        return;
      case "warning":
        say(`${colors.yellow("warning")}: ${event.message}`);
        return;
      case "step":
        reportProgress(event.step + 1, epochs * stepsPerEpoch);
        estimate(event);
        line(() => stepFields(event));
        return;
      case "validation": {
        const { val, best } = event;
        sayFields([
          { rank: 9, text: colors.dim(`step ${event.step}`) },
          { rank: 6, text: `val ${val.loss.toFixed(3)}` },
          ...accuracyOf("acc", val, 8),
          ...(best ? [{ rank: 2, text: colors.dim(`(best ${bestOf(best)} @ ${best.epoch})`) }] : []),
        ]);
        return;
      }
      case "epoch": {
        const { train, val, best, test } = event;
        sayFields([
          { rank: 9, text: `${colors.green("✓")} ${String(event.epoch).padStart(String(epochs).length)}` },
          { rank: 7, text: `train ${train.loss.toFixed(3)}` },
          ...(val ? [{ rank: 6, text: `val ${val.loss.toFixed(3)}` }] : []),
          ...(val ? accuracyOf("acc", val, 8) : accuracyOf("train acc", train, 8)),
          ...(best ? [{ rank: 2, text: colors.dim(`(best ${bestOf(best)} @ ${best.epoch})`) }] : []),
          ...(test ? accuracyOf("test", test, 5) : []),
          ...eigenvalue,
          { rank: 3, text: colors.dim(duration(event.seconds)) },
          ...speed(event, 0),
        ]);
        return;
      }
      case "done":
        say(
          `${event.test ? `test ${event.test.accuracy === undefined ? "" : `accuracy ${colors.bold(percent(event.test.accuracy, 2))}, `}loss ${event.test.loss.toFixed(4)}` : "done"}; ${duration(event.seconds)} in all`,
        );
        for (const row of tallyLines(event)) for (const line of folded(row, room(), TALLY_INDENT)) say(line);
    }
  };
}

type Scored = { readonly accuracy?: number | undefined; readonly loss?: number | undefined };

const accuracyOf = (label: string, { accuracy }: Scored, rank: number): Field[] =>
  accuracy === undefined ? [] : [{ rank, text: `${label} ${percent(accuracy)}` }];

const bestOf = ({ accuracy, loss = Number.NaN }: Scored): string =>
  accuracy === undefined ? loss.toFixed(3) : percent(accuracy);

const speed = (at: { imagesPerSecond: number; dataWait: number }, rank: number): Field[] => [
  { rank, text: colors.dim(`${grouped(at.imagesPerSecond)} img/s`) },
  { rank: rank - 1, text: colors.dim(`data ${percent(at.dataWait, 0)}`) },
];
