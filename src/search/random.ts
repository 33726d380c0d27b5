import { rng } from "../util/rng.ts";
import { checkSpace } from "./check.ts";
import { evenly } from "./domain.ts";
import { fresh } from "./fresh.ts";
import type { Point } from "./parameter.ts";
import { pointBy } from "./space.ts";
import type { ProposeArgs } from "./trial.ts";

/** A point drawn evenly over the space, whatever came of other trials (Bergstra & Bengio 2012). */
export function randomPoint(args: ProposeArgs): Point {
  checkSpace(args.space);
  const random = rng(args.seed, "search", args.number);
  const draw = (): Point => pointBy(args.space, (parameter) => evenly(parameter, random));
  return fresh(args, random, draw(), draw);
}
