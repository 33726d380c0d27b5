import { checkConfig } from "../../train/settings.ts";
import { merged } from "../../util/merge.ts";
import type { StudyRun } from "./run.ts";

/** What is compared, and the settings that make it so. */
export interface Arm {
  readonly arm: string;
  readonly settings: object;
}

interface Crossed {
  /** As tables call it. */
  readonly network: string;
  readonly seeds: readonly number[];
  readonly arms: readonly Arm[];
  /** What all runs have in common. */
  readonly settings: object;
  /** Before the names of the runs. */
  readonly prefix?: string;
}

/** Every arm with every seed, one thread each: seed by seed, so that a study that is cut off has complete pairs. */
export const crossed = ({ network, seeds, arms, settings, prefix = "" }: Crossed): StudyRun[] =>
  seeds.flatMap((seed) =>
    arms.map(({ arm, settings: own }) => ({
      name: `${prefix}${arm.replaceAll(/[^\w.+-]+/g, "-")}-seed${seed}`,
      network,
      arm,
      config: checkConfig(merged({ threads: 1 }, settings, own, { seed })),
    })),
  );
