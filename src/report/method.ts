import type { Method } from "../optim/method.ts";
import { trainingMethods } from "../optim/methods/index.ts";
import type { RunRecord } from "../train/records.ts";

/** What a report must know of a training method. */
interface MethodInfo {
  readonly title: string;
  /** As #rrggbb; undefined where the method has none of its own. */
  readonly colour: string | undefined;
  /** Whether the method needs the top eigenvector, so that its estimates are part of a step. */
  readonly eigenvector: boolean;
}

const builtIn = new Map<string, Method>(Object.entries(trainingMethods));

/** The method of a run: what its record says of it, and for the rest the built-in one of its name. */
export function methodOf({
  config,
  method: recorded,
}: Pick<RunRecord, "method"> & { readonly config: Pick<RunRecord["config"], "method"> }): MethodInfo {
  const { name } = config.method;
  const known = builtIn.get(name);
  return {
    title: recorded?.title ?? known?.title ?? name,
    colour: recorded?.colour ?? known?.colour,
    eigenvector: recorded?.eigenvector ?? known?.needs.v === true,
  };
}

/** Place of a method among the others: in the order of the registry, then all that are not built in. */
export const rankOf = (name: string): number => {
  const index = [...builtIn.keys()].indexOf(name);
  return index < 0 ? builtIn.size : index;
};
