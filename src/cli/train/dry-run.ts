import { notesOf } from "../../train/notes.ts";
import { type Problem, startOf } from "../../train/session.ts";
import { configToml } from "../../train/settings.ts";
import { duration, grouped } from "../format.ts";
import { emit } from "../ui.ts";
import { ruleNames } from "./rules.ts";
import { type Cost, costOf, STEPS } from "./cost.ts";

/** Says what a run would be and cost. Nothing is written. */
export async function dryRun(problem: Problem, json: boolean): Promise<void> {
  const { config, dataset, val } = problem;
  const notes = [...notesOf(problem), ...startOf(problem).notes];
  if (json) {
    const cost = await costOf(problem);
    emit({ event: "dry-run", config, ...cost, notes: [...notes, ...cost.notes] });
    return;
  }
  // Before the steps are timed, which takes a while where they are long.
  console.log(configToml(config).trimEnd());
  const cost = await costOf(problem);
  const { stepSeconds, refreshSeconds, probeSeconds } = cost;
  console.log(
    [
      "",
      `parameters  ${grouped(cost.parameters)}`,
      `examples    ${grouped(cost.images)} for training, ${grouped(val?.count ?? 0)} for validation, ${grouped(dataset.test?.count ?? 0)} for the test`,
      ...(dataset.targets.kind === "labels" ? [`classes     ${grouped(dataset.targets.classes)}`] : []),
      `steps       ${grouped(cost.steps)} in all, ${grouped(cost.stepsPerEpoch)} per epoch`,
      `memory      ${grouped(cost.memoryMiB)} MiB at most, the examples included`,
      `one step    ${(1000 * stepSeconds).toFixed(1)} ms, ${cost.rules.length > 1 ? `on average, by medians` : "median"} of ${STEPS}${refreshSeconds > 0 ? `; one estimate of v ${(1000 * refreshSeconds).toFixed(0)} ms` : ""}${probeSeconds > 0 ? `; one look of the probe ${(1000 * probeSeconds).toFixed(0)} ms` : ""}`,
      ...(cost.rules.length > 1 ? [`rules       ${cost.rules.map(ruleOf).join(", ")}`] : []),
      `one epoch   ${duration(cost.epochSeconds)}, ${duration(cost.totalSeconds)} in all, without scoring`,
      ...[...notes, ...cost.notes].map((note) => `note: ${note}`),
    ].join("\n"),
  );
}

const ruleOf = ({ rule, steps, seconds }: Cost["rules"][number]): string =>
  `${grouped(steps)} steps ${ruleNames[rule]} at ${(1000 * seconds).toFixed(1)} ms`;
