import { stripVTControlCharacters } from "node:util";
import { colors } from "../colors.ts";
import type { TrainEvent } from "../../train/events.ts";
import { duration, grouped, percent, short } from "../format.ts";
import { say, status } from "../ui.ts";

const BAR = 24;
/** Between two drawings of the line on a terminal, and between two lines where there is none. */
const REDRAW_MS = 100;
const PLAIN_MS = 30_000;

/** Tells a person how training goes: one line that renews itself, and one that stays per epoch. */
export function progressView(): (event: TrainEvent) => void {
  const terminal = process.stderr.isTTY === true;
  let [epochs, stepsPerEpoch, first] = [0, 0, 0];
  let eigenvalue: number | undefined;
  let [begun, drawn] = [performance.now(), 0];

  const showStep = (event: Extract<TrainEvent, { event: "step" }>) => {
    const now = performance.now();
    if (now - drawn < (terminal ? REDRAW_MS : PLAIN_MS)) return;
    if (!terminal && drawn === 0) {
      drawn = now;
      return;
    }
    drawn = now;
    const done = event.step + 1;
    const left = epochs * stepsPerEpoch - done;
    const perStep = (now - begun) / 1000 / Math.max(1, done - first);
    const line = [
      `epoch ${event.epoch}/${epochs} ${bar((event.stepInEpoch + 1) / stepsPerEpoch)} ${event.stepInEpoch + 1}/${stepsPerEpoch}`,
      `loss ${event.loss.toFixed(3)}`,
      ...accuracyOf("acc", event),
      ...lambda(eigenvalue),
      `lr ${short(event.lr)}`,
      `${grouped(event.imagesPerSecond)} img/s`,
      `data ${percent(event.dataWait, 0)}`,
      `ETA ${duration(left * perStep)}`,
    ].join("  ");
    if (terminal) status(clipped(line));
    else say(line);
  };

  return (event) => {
    switch (event.event) {
      case "start": {
        const { config } = event;
        epochs = config.train.epochs;
        stepsPerEpoch = event.stepsPerEpoch;
        first = event.step;
        begun = performance.now();
        const { method, model, data, seed, device } = config;
        say(
          `${colors.bold(method.name)} · ${model.name} · ${data.name} · seed ${seed} · ${device}    ${colors.dim(event.run)}`,
        );
        if (event.step > 0) say(`resumed after step ${event.step}`);
        return;
      }
      case "refresh":
        eigenvalue = event.eigenvalue;
        return;
      case "step":
        showStep(event);
        return;
      case "epoch": {
        const { train, val, best, test } = event;
        status("");
        say(
          [
            `${colors.green("✓")} ${String(event.epoch).padStart(String(epochs).length)}`,
            `train ${train.loss.toFixed(3)}`,
            ...(val ? [`val ${val.loss.toFixed(3)}`, ...accuracyOf("acc", val)] : accuracyOf("train acc", train)),
            ...(best
              ? [
                  colors.dim(
                    `(best ${best.accuracy === undefined ? best.loss?.toFixed(3) : percent(best.accuracy)} @ ${best.epoch})`,
                  ),
                ]
              : []),
            ...(test ? accuracyOf("test", test) : []),
            ...lambda(eigenvalue),
            colors.dim(
              `${duration(event.seconds)}  ${grouped(event.imagesPerSecond)} img/s  data ${percent(event.dataWait, 0)}`,
            ),
          ].join("  "),
        );
        return;
      }
      case "done":
        status("");
        say(
          `${event.test ? `test ${event.test.accuracy === undefined ? "" : `accuracy ${colors.bold(percent(event.test.accuracy, 2))}, `}loss ${event.test.loss.toFixed(4)}` : "done"}; ${duration(event.seconds)} in all`,
        );
    }
  };
}

const accuracyOf = (label: string, { accuracy }: { readonly accuracy?: number }): string[] =>
  accuracy === undefined ? [] : [`${label} ${percent(accuracy)}`];

const lambda = (eigenvalue: number | undefined): string[] =>
  eigenvalue === undefined ? [] : [`λ₁ ${short(eigenvalue)}`];

function bar(fraction: number): string {
  const filled = Math.round(fraction * BAR);
  return colors.cyan("━".repeat(filled)) + colors.dim("─".repeat(BAR - filled));
}

/** A line that wraps could not be drawn over; one that is too long loses its colours as well. */
function clipped(line: string): string {
  const columns = process.stderr.columns ?? 80;
  const plain = stripVTControlCharacters(line);
  return plain.length < columns ? line : plain.slice(0, columns - 1);
}
