import { type Method, type TrainingMethodName, trainingMethods } from "../optim/methods.ts";
import type { RunRecord } from "./run-schema.ts";

/** What a report must know of a training method. */
interface MethodInfo {
  readonly title: string;
  /** As #rrggbb; undefined where the method has none of its own. */
  readonly colour: string | undefined;
  /** Whether the method needs the top eigenvector, so that its estimates are part of a step. */
  readonly eigenvector: boolean;
}

/** What a run may say of its method: a method that is not built in is known from there alone. */
type Recorded = RunRecord & {
  readonly method?: { readonly [K in keyof MethodInfo]?: MethodInfo[K] | undefined } | undefined;
};

/** Okabe & Ito's colours, told apart with any colour vision; a method keeps its own in every figure. */
export const colours: Readonly<Record<TrainingMethodName, string>> = {
  sgd: "#6b7280",
  sam: "#0072b2",
  "eigen-sam": "#d55e00",
  usam: "#56b4e9",
  asam: "#009e73",
  "reverse-sam": "#cc79a7",
  egr: "#b59f00",
  "third-order": "#5b3fa0",
};

const builtIn = new Map<string, Method>(Object.entries(trainingMethods));
const builtInColours = new Map<string, string>(Object.entries(colours));

/** The built-in method of this name; another one goes by its name. */
export function methodNamed(name: string): MethodInfo {
  const known = builtIn.get(name);
  return {
    title: known?.title ?? name,
    colour: builtInColours.get(name),
    eigenvector: known?.eigenvector ?? false,
  };
}

/** The method of a run: what its record says of it, and for the rest the built-in one. */
export function methodOf({ config, method: recorded }: Recorded): MethodInfo {
  const known = methodNamed(config.method.name);
  return {
    title: recorded?.title ?? known.title,
    colour: recorded?.colour ?? known.colour,
    eigenvector: recorded?.eigenvector ?? known.eigenvector,
  };
}

/** Place of a method among the others: in the order of the registry, then all that are not built in. */
export const rankOf = (name: string): number => {
  const index = [...builtIn.keys()].indexOf(name);
  return index < 0 ? builtIn.size : index;
};
