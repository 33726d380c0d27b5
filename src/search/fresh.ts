import type { Rng } from "../util/rng.ts";
import { around } from "./domain.ts";
import type { Point } from "./parameter.ts";
import { pointKey, pointsOf } from "./space.ts";
import { othersOf, type ProposeArgs } from "./trial.ts";

/** So often a point that is taken is drawn again before the space is walked through. */
const REDRAWS = 50;

/**
 * A drawn point that no listed trial has: `first`, or what `again` draws after it, or the first free one on a walk through the
 * space from a random place. Where all points are taken it is `first`.
 */
export function fresh(args: ProposeArgs, random: Rng, first: Point, again: () => Point): Point {
  const { space } = args;
  const taken = new Set(othersOf(args).map(({ point }) => pointKey(space, point)));
  const isFree = (point: Point): boolean => !taken.has(pointKey(space, point));
  let point = first;
  for (let i = 0; i < REDRAWS && !isFree(point); i++) point = again();
  if (isFree(point)) return point;
  for (const other of pointsOf(space, (parameter) => around(parameter, random))) if (isFree(other)) return other;
  return first;
}
