import type { Split } from "../data/dataset.ts";
import { ConfigError } from "../util/errors.ts";
import type { TrainConfig } from "./config.ts";
import type { Progress } from "./records.ts";

/** Whether an epoch has just ended that is the `patience`-th without a better score: the run ends here. */
export const isOver = ({ stepInEpoch, epoch, best }: Progress, patience: number | undefined): boolean =>
  patience !== undefined && stepInEpoch === 0 && best !== null && epoch - best.epoch >= patience;

export const overMessage = ({ epoch, best }: Progress, patience: number | undefined): string =>
  `${patience} epochs without a better validation ${best?.accuracy === undefined ? "loss" : "accuracy"} than that of epoch ${best?.epoch}: the run ends after epoch ${epoch} (train.patience), and its best weights are kept`;

/** Throws where settings need scores that a run does not have. */
export function assertValidated(train: TrainConfig["train"], val: Split | undefined): void {
  if (val !== undefined) return;
  for (const key of ["patience", "validateEvery"] as const)
    if (train[key] !== undefined)
      throw new ConfigError(
        `train.${key} is ${train[key]}, but there are no validation examples to score`,
        { [key]: train[key] },
        "keep some aside, as data.validation=0.1 does, or leave it out",
      );
}
