import { ConfigError } from "../util/errors.ts";
import { checkSpace } from "./check.ts";
import { isActive, type Parameter, type Point, type Space, type Value } from "./parameter.ts";

export { isActive, type Parameter, type Point, type Space, type Value } from "./parameter.ts";

/** All points of a space of choices, the last parameter changing fastest; inactive parameters left out, equal points once. */
export function gridOf(space: Space): Point[] {
  checkSpace(space);
  const points = pointsOf(space, ({ key, domain }) => {
    if (domain.kind === "choice") return domain.values;
    throw new ConfigError(
      `a grid needs values, and ${key} is a range from ${domain.min} to ${domain.max}`,
      { key },
      "list its values, or search at random or by TPE",
    );
  });
  return [...new Map([...points].map((point) => [pointKey(space, point), point])).values()];
}

/** Every point whose active parameters have the values that `valuesOf` gives, the last parameter changing fastest. */
export function* pointsOf(
  space: Space,
  valuesOf: (parameter: Parameter) => Iterable<Value>,
  point: Point = {},
): Generator<Point> {
  const [parameter, ...later] = space;
  if (parameter === undefined) yield point;
  else if (!isActive(parameter, point)) yield* pointsOf(later, valuesOf, point);
  else for (const value of valuesOf(parameter)) yield* pointsOf(later, valuesOf, { ...point, [parameter.key]: value });
}

/** The point that takes one value after the other. */
export function pointBy(space: Space, choose: (parameter: Parameter) => Value): Point {
  let point: Point = {};
  for (const parameter of space)
    if (isActive(parameter, point)) point = { ...point, [parameter.key]: choose(parameter) };
  return point;
}

/** A text that points of a space share exactly where they are equal. */
export const pointKey = (space: Space, point: Point): string =>
  JSON.stringify(space.map(({ key }) => point[key] ?? null));
