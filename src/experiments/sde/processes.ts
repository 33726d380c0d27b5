import type { SdeVariantName } from "../../sde/variants.ts";
import { sdeVariants } from "../../sde/variants.ts";
import { namesOf } from "../../util/names.ts";

/** A path that is laid beside others from the same θ₀. */
export interface Process {
  /** As figures and tables call it; the discrete method gives its own title. */
  title(method: string): string;
  /** The h whose mean and covariance drive it. */
  readonly variant: SdeVariantName;
  /** Euler–Maruyama over M mini-batches per step, or one step on one mini-batch. */
  readonly continuous: boolean;
  /** Names the stream of its mini-batches and noise. The equations share one, so that they differ by their h alone. */
  readonly stream: string;
}

const equation = (variant: SdeVariantName): Process => ({
  title: () => sdeVariants[variant].title,
  variant,
  continuous: true,
  stream: "sde",
});

/** What the experiment runs; a new process is one entry. The first is what the others are measured against. */
export const processes = {
  discrete: { title: (method) => `discrete ${method}`, variant: "exact", continuous: false, stream: "discrete" },
  second: equation("second"),
  third: equation("third"),
  sgd: equation("sgd"),
  exact: equation("exact"),
  repeat: {
    title: (method) => `${method} against ${method}`,
    variant: "exact",
    continuous: false,
    stream: "repeat",
  },
} as const satisfies Readonly<Record<string, Process>>;

export type ProcessName = keyof typeof processes;

export const processNames = namesOf(processes);

/** A path of one process; of `repeat` there are several: repeat, repeat2, repeat3 … */
export type PathName = ProcessName | `repeat${number}`;

const REPEAT = /^repeat\d+$/;

export const isPathName = (name: unknown): name is PathName =>
  typeof name === "string" && (Object.hasOwn(processes, name) || REPEAT.test(name));

/** The process of a path; each repetition has mini-batches of its own. */
export const processOf = (path: PathName): Process =>
  REPEAT.test(path) ? { ...processes.repeat, stream: path } : processes[path as ProcessName];

/** More paths of one method would only fill memory. */
export const MOST_REPLICATES = 1000;

/** The paths of a run: one of each process, and as many repetitions that there are `replicates` of the discrete method in all. */
export const pathsOf = ({
  processes: names,
  replicates,
}: {
  readonly processes: readonly ProcessName[];
  readonly replicates: number;
}): PathName[] => [
  ...new Set(
    names.flatMap((name): PathName[] =>
      name === "repeat"
        ? Array.from({ length: replicates - 1 }, (_, i): PathName => (i === 0 ? "repeat" : `repeat${i + 1}`))
        : [name],
    ),
  ),
];

/** The paths of the discrete method among these. */
export const replicatesIn = (paths: readonly PathName[]): PathName[] =>
  paths.filter((path) => path === "discrete" || path.startsWith("repeat"));
