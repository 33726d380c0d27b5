import { existsSync } from "node:fs";
import { digest } from "../data/digest.ts";
import { readBytes } from "../data/files.ts";
import type { Layout } from "../nn/layout.ts";
import type { Model } from "../nn/scope.ts";
import { ConfigError, InputError } from "../util/errors.ts";
import { excerpt } from "../util/excerpt.ts";
import type { TrainConfig } from "./config.ts";
import { withPositions } from "./positions.ts";
import { flatten, named, readTensors, statePrefixes, type Weights } from "./weights.ts";

/** The file that a run starts from, and how. */
export interface StartFile {
  readonly path: string;
  /** SHA-256 of the file; undefined where it is gone. */
  readonly digest: string | undefined;
  /** Parameters that start anew all the same. */
  readonly anew: ReadonlySet<string>;
  /** Whether every tensor must be in the file, with its shape, and nothing else. */
  readonly strict: boolean;
  /** The side of images that the network resizes first. */
  readonly resize?: number | undefined;
}

/** What starts of a file, and what there is to say about it. */
export interface Start extends Weights {
  readonly notes: readonly string[];
}

/**
 * The file that settings name to start from.
 * @throws ConfigError where settings say how to read a file, and name none, or where a new head is asked of a network without one
 */
export function startFileOf(
  { weights: path, newHead, strict, name, resize }: TrainConfig["model"],
  head: () => readonly { readonly name: string }[],
): StartFile | undefined {
  if (path === undefined) {
    for (const [key, value] of Object.entries({ newHead, strict }))
      if (value !== undefined)
        throw new ConfigError(
          `model.${key} is ${value}, but there is no model.weights`,
          { key, value },
          "name the file to start from, or leave it out",
        );
    return undefined;
  }
  const anew = new Set(newHead === true ? head().map((parameter) => parameter.name) : []);
  if (newHead === true && anew.size === 0)
    throw new ConfigError(
      `model.newHead is true, but no parameter of ${name} depends on the number of classes`,
      { name },
      "use model.strict=false, which takes what fits",
    );
  return {
    path,
    digest: existsSync(path) ? digest(readBytes(path)) : undefined,
    anew,
    strict: strict ?? true,
    resize,
  };
}

/** Parts of heads that other libraries have, and ours has not. */
const FOREIGN_HEADS = /^((vit\.)?pooler|(heads\.)?pre_logits)\./;

/**
 * The weights of a file where it has them, and `fresh` ones elsewhere.
 * @throws InputError that lists what is missing, of another shape or unknown, unless the file need not fit
 */
export function startFrom({ path, anew, strict, resize }: StartFile, model: Model, fresh: Weights): Start {
  const parts = [
    [model.parameters, fresh.theta],
    [model.buffers, fresh.buffers],
  ] as const;
  const entries = parts.flatMap(([layout]) => layout.entries);
  const known = new Set(entries.map(({ name }) => name));
  const read = withPositions(readTensors(path, model), model, resize);
  const { tensors } = read;
  const fits = ({ name, shape }: (typeof entries)[number]) => tensors[name]?.shape.join() === shape.join();
  const needed = entries.filter(({ name }) => !anew.has(name));
  const missing = needed.filter(({ name }) => tensors[name] === undefined).map(({ name }) => name);
  const misshaped = needed
    .filter((entry) => tensors[entry.name] !== undefined && !fits(entry))
    .map(({ name, shape }) => `${name} [${tensors[name]!.shape.join(", ")}] instead of [${shape.join(", ")}]`);
  const extra = Object.keys(tensors).filter(
    (name) =>
      !known.has(name) &&
      !name.endsWith("num_batches_tracked") &&
      !statePrefixes.some((prefix) => name.startsWith(prefix)) &&
      !(anew.size > 0 && FOREIGN_HEADS.test(name)),
  );
  const differences = [
    ...listed("missing", missing),
    ...listed("of another shape", misshaped),
    ...listed("unknown", extra),
  ];
  if (strict && differences.length > 0)
    throw new InputError(
      `${path} does not fit the model: ${differences.join("; ")}`,
      { path, missing, misshaped, extra },
      "model.newHead=true starts the last layer anew; model.strict=false takes what fits",
    );
  const taken = needed.filter(fits).map(({ name }) => name);
  if (taken.length === 0)
    throw new InputError(`${path} has nothing that fits the model`, { path }, "is it of another network?");
  const own = Object.fromEntries(taken.map((name) => [name, tensors[name]!]));
  const whole = (layout: Layout, flat: Float32Array) => flatten(layout, { ...named(layout, flat), ...own }, path);
  return {
    theta: whole(...parts[0]),
    buffers: whole(...parts[1]),
    notes: [
      `starts from ${path}: ${taken.length} of ${entries.length} tensors`,
      ...(anew.size > 0 ? [`a new head: ${[...anew].join(", ")}`] : []),
      ...differences.map((text) => `starting weights, ${text}`),
      ...read.notes,
    ],
  };
}

/** As many names as a message can hold. */
const MOST = 5;

const listed = (what: string, names: readonly string[]): string[] =>
  names.length === 0
    ? []
    : [
        `${what}: ${names
          .slice(0, MOST)
          .map((name) => excerpt(name, 100))
          .join(", ")}${names.length > MOST ? ` and ${names.length - MOST} more` : ""}`,
      ];
