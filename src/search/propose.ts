import type { Point } from "./parameter.ts";
import { randomPoint } from "./random.ts";
import { tpePoint } from "./tpe.ts";
import type { ProposeArgs } from "./trial.ts";

export type { ProposeArgs, Trial } from "./trial.ts";

/** A rule for the next point: a function of the seed, the trial's number and the listed trials alone, so there is no state to keep. */
export type Proposer = (args: ProposeArgs) => Point;

/** The rules by name; a new one is one file and one line. None repeats the point of a listed trial while there are others. */
export const proposers = { random: randomPoint, tpe: tpePoint } as const satisfies Readonly<Record<string, Proposer>>;
