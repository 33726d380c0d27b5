import type { TrainConfig } from "../../train/config.ts";

/** A setting that can be found by short runs with values of it. */
export interface Finder {
  readonly key: string;
  readonly symbol: string;
  /** What it is, as sentences call it. */
  readonly title: string;
  /** Its value in settings, around which values are tried; undefined where they have none. */
  of(config: TrainConfig): number | undefined;
  /** Factors of 2 around that value. */
  readonly octaves: readonly [least: number, most: number];
  /** What zero means, where it is tried as well. */
  readonly zero?: string;
}

/** The settings that commands find; `NAME-find` is the command. */
export const finders = {
  rho: {
    key: "method.rho",
    symbol: "ρ",
    title: "radius",
    of: ({ method }) => method.rho as number | undefined,
    octaves: [-3, 3],
    zero: "the base optimizer",
  },
  lr: {
    key: "optimizer.lr",
    symbol: "η",
    title: "learning rate",
    of: ({ optimizer }) => optimizer.lr,
    octaves: [-5, 3],
  },
} as const satisfies Readonly<Record<string, Finder>>;

/** Values from `least` to `most` with the same factor between neighbours, to three digits. */
export const gridOf = (least: number, most: number, points: number): number[] =>
  Array.from({ length: points }, (_, i) => Number((least * (most / least) ** (i / (points - 1))).toPrecision(3)));
