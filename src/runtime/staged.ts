import { type Call, cutAtCalls } from "../graph/external.ts";
import { attrsOf } from "../graph/op.ts";
import { input, inputOp } from "../graph/ops/source.ts";
import type { Tensor } from "../graph/tensor.ts";
import { mapValues } from "../util/map-values.ts";
import { sizeOf } from "../util/shape.ts";
import { compileGraph, type CompileOptions, type Executable, type InputSpec } from "./compile.ts";
import type { TypedArray } from "./session.ts";

type Arrays = Readonly<Record<string, TypedArray>>;
type Traced = Readonly<Record<string, Tensor>>;

/** A derivative of an external function that is wanted now. */
export interface Wanted extends Pick<Call, "of" | "order"> {
  readonly point: Float32Array;
  readonly along: readonly Float32Array[];
  /** Where the result goes; zeros. */
  readonly into: Float32Array;
}

/** Computes derivatives that do not depend on each other. */
export type Evaluate = (wanted: readonly Wanted[]) => Promise<void>;

/** A function of tensors that calls external functions, as graphs between their calls. */
export interface Staged {
  /** Outputs are overwritten by the next run, or written over their inputs. */
  run(inputs: Arrays, evaluate: Evaluate): Promise<Record<string, TypedArray>>;
  release(): Promise<void>;
}

/**
 * Compiles a function of tensors that may call external functions (graph/external.ts). Between their calls it is a graph each; what is external is
 * computed by the caller, round by round. Where a point is an input, `evaluate` gets the array of the input itself.
 */
export async function compileStaged(
  build: (inputs: Traced) => Traced,
  spec: InputSpec,
  { inPlace, copyBack, ...options }: CompileOptions,
): Promise<Staged> {
  const outputs = build(mapValues(spec, ({ shape, dtype }, name) => input(name, shape, dtype)));
  const names = Object.keys(outputs);
  const cut = cutAtCalls(Object.values(outputs));
  const calls = cut.rounds.flat();
  const whole = { ...spec, ...Object.fromEntries(calls.map(({ name, shape }) => [name, { shape }])) };
  const results = new Map(calls.map(({ name, shape }) => [name, new Float32Array(sizeOf(shape))]));
  const graphs: Executable[] = [];
  const release = async () => {
    for (const graph of graphs) await graph.release();
  };
  const compiled = async (of: Traced, own: CompileOptions = {}) => {
    // They take turns, and hold vectors alone.
    const graph = await compileGraph(of, whole, { ...options, ...own, arena: false });
    graphs.push(graph);
    return graph;
  };
  const compileAll = async () => {
    const rounds = [];
    for (const round of cut.rounds) rounds.push(await argumentsOf(round, compiled));
    const last = await compiled(Object.fromEntries(names.map((name, i) => [name, cut.outputs[i]!])), {
      ...(inPlace ? { inPlace } : {}),
      ...(copyBack === undefined ? {} : { copyBack }),
    });
    return { rounds, last };
  };
  const { rounds, last } = await compileAll().catch(async (error) => {
    await release();
    throw error;
  });
  return {
    run: async (inputs, evaluate) => {
      const known: Record<string, TypedArray> = { ...inputs };
      for (const { round, values } of rounds) {
        const find = await values(known);
        const wanted = round.map(({ of, order, name, point, along }): Wanted => {
          const into = results.get(name)!.fill(0);
          return { of, order, point: find(point), along: along.map(find), into };
        });
        await evaluate(wanted);
        for (const { name } of round) known[name] = results.get(name)!;
      }
      return last.run(known, { reuse: true });
    },
    release,
  };
}

/** The arguments of a round of calls: what is an input already, and the rest by a graph where there is some. */
async function argumentsOf(round: readonly Call[], compiled: (outputs: Traced) => Promise<Executable>) {
  const nodes = [...new Set(round.flatMap(({ point, along }) => [point, ...along]))];
  const nameOf = (node: Tensor) => attrsOf(inputOp, node)?.name;
  const made = nodes.filter((node) => nameOf(node) === undefined);
  const names = new Map(made.map((node, i) => [node, `argument.${i}`]));
  const graph =
    made.length > 0 ? await compiled(Object.fromEntries(made.map((node) => [names.get(node)!, node]))) : undefined;
  const values = async (known: Arrays) => {
    const found = graph ? await graph.run(known, { reuse: true }) : {};
    return (node: Tensor) => (known[nameOf(node) ?? ""] ?? found[names.get(node)!]) as Float32Array;
  };
  return { round, values };
}
