import { ConfigError } from "../util/errors.ts";

/** A number that a method reads: its default, the values it may have, and a line of help. */
export interface Hyper {
  readonly default: number;
  readonly about: string;
  /** As figures and labels call it; left out, its name. */
  readonly symbol?: string;
  readonly min?: number;
  /** Its value is part of the graph, where shapes depend on it; methods then see a number. */
  readonly fixed?: true;
  /** The value must lie below this. */
  readonly below?: number;
}

export type Hypers = Readonly<Record<string, Hyper>>;

/**
 * Declares a hyperparameter of a method: its default, what it is, and the range it may have (any finite number).
 *
 * @example
 * ```ts
 * console.log(real(0.2, "alignment strength", { min: 0 }).default); // 0.2
 * ```
 */
export const real = (value: number, about: string, limits: Omit<Hyper, "default" | "about"> = {}): Hyper => ({
  default: value,
  about,
  ...limits,
});

/**
 * Declares a radius ρ ≥ 0, in the units of the parameters.
 *
 * @example
 * ```ts
 * console.log(radius(0.05).min); // 0
 * ```
 */
export const radius = (value = 0.05, about = "perturbation radius ρ"): Hyper =>
  real(value, about, { min: 0, symbol: "ρ" });

/**
 * Declares a number in [0, 1).
 *
 * @example
 * ```ts
 * console.log(fraction(0.9, "memory of the mean").below); // 1
 * ```
 */
export const fraction = (value: number, about: string): Hyper => real(value, about, { min: 0, below: 1 });

/** Throws a ConfigError, which names `key`, unless the value is one the hyperparameter may have. */
export function assertHyper(key: string, { min, below, about, default: standard }: Hyper, value: unknown): void {
  const limits = [
    ...(min === undefined ? [] : [`at least ${min}`]),
    ...(below === undefined ? [] : [`below ${below}`]),
  ];
  const fits =
    typeof value === "number" &&
    Number.isFinite(value) &&
    value >= (min ?? value) &&
    value < (below ?? Number.POSITIVE_INFINITY);
  if (!fits)
    throw new ConfigError(
      `${key} is ${JSON.stringify(value)}, expected a number${limits.length > 0 ? ` ${limits.join(" and ")}` : ""}`,
      { key, given: value },
      `${about}; the default is ${standard}`,
    );
}
