/** A value of a setting, as a configuration file has it. */
export type Value = number | string | boolean | readonly Value[];

/** Dotted setting keys to values: the ones that are active. */
export type Point = Readonly<Record<string, Value>>;

/** Values to choose from, in no order that matters. */
export interface Choice {
  readonly kind: "choice";
  readonly values: readonly Value[];
}

/** Numbers from min to max, both included; with `log`, equal ratios count as equal distances. */
export interface Range {
  readonly kind: "range";
  readonly min: number;
  readonly max: number;
  readonly log: boolean;
  readonly integer: boolean;
}

/** A setting that is searched, and what it may be. */
export interface Parameter {
  readonly key: string;
  readonly domain: Choice | Range;
  /** Active only where each of these keys (earlier parameters) has one of the values. */
  readonly when?: Readonly<Record<string, readonly Value[]>>;
}

/** Parameters in an order in which a condition names earlier ones only. */
export type Space = readonly Parameter[];

/** Whether two values are equal, lists by what is in them; 1 is not "1". */
export const sameValue = (a: Value | undefined, b: Value): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Whether a parameter has a value beside those of the earlier parameters; one whose condition is inactive has none. */
export const isActive = (parameter: Parameter, point: Point): boolean =>
  Object.entries(parameter.when ?? {}).every(([key, values]) => values.some((value) => sameValue(point[key], value)));
