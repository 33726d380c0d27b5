import { namesOf } from "../util/names.ts";
import type { Rng } from "../util/rng.ts";
import { type Shape, sizeOf } from "../util/shape.ts";

/** Numbers that one unit of a layer reads, and that one number of its input reaches. */
interface Fans {
  readonly in: number;
  readonly out: number;
}

export interface InitScheme {
  readonly summary: string;
  /** Draws one weight; left out, weights and biases start as they are declared. */
  readonly weight?: (random: Rng, fans: Fans) => number;
}

/** How the weights of layers start; biases start at 0 in every scheme but the default, which is PyTorch's. A new one is one entry. */
export const initSchemes = {
  default: { summary: "as declared: layers uniform in ±1/√fan_in, biases too, as PyTorch's" },
  he: {
    summary: "normal, σ = √(2/fan_in), biases 0 (He et al. 2015)",
    weight: (random, fans) => Math.sqrt(2 / fans.in) * random.normal(),
  },
  xavier: {
    summary: "uniform in ±√(6/(fan_in + fan_out)), biases 0 (Glorot & Bengio 2010)",
    weight: (random, fans) => Math.sqrt(6 / (fans.in + fans.out)) * (2 * random.uniform() - 1),
  },
} as const satisfies Readonly<Record<string, InitScheme>>;

/** Name of an initialization scheme. */
export type InitName = keyof typeof initSchemes;

/** The names of the initialization schemes. */
export const initNames = namesOf(initSchemes);

/** Of weights [out, in, ...kernel]: both channels times the positions of the kernel, as PyTorch counts. */
export function fansOf([out = 1, inputs = 1, ...kernel]: Shape): Fans {
  const positions = sizeOf(kernel);
  return { in: inputs * positions, out: out * positions };
}
