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
    title: (method) => `discrete ${method}, other mini-batches`,
    variant: "exact",
    continuous: false,
    stream: "repeat",
  },
} as const satisfies Readonly<Record<string, Process>>;

export type ProcessName = keyof typeof processes;

export const processNames = namesOf(processes);
