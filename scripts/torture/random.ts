/** Numbers in [0, 1). */
export type Random = () => number;

export const integer = (random: Random, least: number, most: number): number =>
  least + Math.floor(random() * (most - least + 1));

export const pick = <T>(random: Random, from: readonly T[]): T => from[Math.floor(random() * from.length)]!;

export const chance = (random: Random, probability: number): boolean => random() < probability;
