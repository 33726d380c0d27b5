import { trainingMethods } from "../optim/methods.ts";
import type { MethodRecord, RunRecord } from "../train/records.ts";

const known: ReadonlyMap<string, Omit<MethodRecord, "name">> = new Map(Object.entries(trainingMethods));

/** The registry's method of this name; one that it does not have goes by its name. */
export const methodNamed = (name: string): MethodRecord => ({
  title: name,
  eigenvector: false,
  ...known.get(name),
  name,
});

/** The method of a run: what its run.json says of it, or else the registry. */
export const methodOf = ({ method, config }: Pick<RunRecord, "method" | "config">): MethodRecord =>
  method ?? methodNamed(config.method.name);
