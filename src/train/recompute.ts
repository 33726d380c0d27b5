import { multiplicationsOf } from "../graph/multiplications.ts";
import { input } from "../graph/ops/source.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { CompileOptions, InputSpec } from "../runtime/compile.ts";
import { type GraphMemory, memoryOf } from "../runtime/memory.ts";
import { ConfigError } from "../util/errors.ts";
import { mapValues } from "../util/map-values.ts";

type Traced = Readonly<Record<string, Tensor>>;

/** What a graph takes within train.memoryLimit, and what it costs. */
export interface Recomputation {
  /** Parts that its forward passes are cut in, all but the last of which are computed again for the gradient; 1 is none. */
  readonly segments: number;
  /** Predicted bytes, with that and without. */
  readonly bytes: number;
  readonly plainBytes: number;
  /** Multiplications of its products and convolutions, with that and without. */
  readonly multiplications: number;
  readonly plainMultiplications: number;
}

/** How a graph is compiled within a limit. */
export interface Chosen {
  readonly segments: number;
  readonly options: CompileOptions;
  /** Left out where there is no limit. */
  readonly recomputation?: Recomputation;
}

/** What a graph is, for messages. */
export interface Kind {
  readonly name: string;
  /** Whether less is kept when passes are computed again: so it is of gradients. Second derivatives read both copies, and take more. */
  readonly shrinks: boolean;
}

/** More segments cost more multiplications, and from some number on more memory as well. */
const LADDER = [1, 2, 3, 4, 6, 8, 12, 16];

/** Beyond what is alive, buffers may be kept up to this size; the compiler's own default. */
const BUFFERS = 128e6;

const MIB = 2 ** 20;

/**
 * The fewest segments with which a graph takes at most `limit` MiB, by its plan.
 * @throws ConfigError where none are enough, with the least that can be had
 */
export async function withinLimit(
  trace: (inputs: Traced, segments: number) => Traced,
  spec: InputSpec,
  {
    options,
    limit,
    kind,
  }: { readonly options: CompileOptions; readonly limit: number | undefined; readonly kind: Kind },
): Promise<Chosen> {
  if (limit === undefined) return { segments: 1, options };
  const inputs = mapValues(spec, ({ shape, dtype }, name) => input(name, shape, dtype));
  const sizes: { readonly segments: number; readonly bytes: number }[] = [];
  for (const segments of kind.shrinks ? LADDER : [1]) {
    const outputs = trace(inputs, segments);
    const bytes = totalOf(await memoryOf(outputs, options));
    sizes.push({ segments, bytes });
    if (bytes > limit * MIB) continue;
    const bufferBudget = Math.min(options.bufferBudget ?? BUFFERS, limit * MIB - bytes);
    const plain = segments === 1 ? outputs : trace(inputs, 1);
    const recomputation = {
      ...{ segments, bytes, plainBytes: sizes[0]!.bytes },
      multiplications: multiplicationsOf(Object.values(outputs)),
      plainMultiplications: multiplicationsOf(Object.values(plain)),
    };
    return { segments, options: { ...options, bufferBudget }, recomputation };
  }
  const least = Math.ceil(Math.min(...sizes.map(({ bytes }) => bytes)) / MIB);
  throw new ConfigError(
    `train.memoryLimit is ${limit} MiB, but ${kind.name} takes ${least} MiB at least`,
    { memoryLimit: limit, least },
    `set it to ${least} or more, or make data.batch smaller; train.accumulate computes a mini-batch in parts`,
  );
}

const totalOf = ({ values, vectors }: GraphMemory): number => values + vectors;

/** One line for people: what is computed again, what that costs, and what it saves. */
export function recomputationNote({ segments, ...found }: Recomputation, limit: number): string {
  const mib = (bytes: number) => `${Math.ceil(bytes / MIB)} MiB`;
  const more = 100 * (found.multiplications / found.plainMultiplications - 1);
  return segments === 1
    ? `a step takes ${mib(found.bytes)} by its plan, within train.memoryLimit=${limit}: nothing is computed again`
    : `a step takes ${mib(found.bytes)} by its plan in place of ${mib(found.plainBytes)}, within train.memoryLimit=${limit}: forward passes are computed again in ${segments} segments, at ${more.toFixed(0)} % more multiplications`;
}
