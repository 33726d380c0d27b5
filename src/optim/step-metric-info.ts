/** A number that training steps record: what it is called, and how a report shows it. */
export interface StepMetricInfo {
  /** Its field in the step lines of metrics.jsonl. */
  readonly name: string;
  readonly title: string;
  /** As axes and heads of tables call it. */
  readonly symbol: string;
  /** One sentence: what is measured. */
  readonly about: string;
  /** Name of the files of its figure, and of its columns in CSV; `name` by default. */
  readonly id?: string;
  /** A figure of it over training steps; none by default. */
  readonly figure?: {
    readonly title: string;
    /** The first half of the caption. */
    readonly shows: string;
    /** What runs without it lack, after "no run has". */
    readonly needs: string;
    /** Values that it can take. */
    readonly within?: readonly [number, number];
    /** Whether a linear axis begins at zero. */
    readonly zero?: boolean;
    /** Whether the axis is never logarithmic. */
    readonly linear?: boolean;
  };
  /** A column in the table of results: its mean over the steps of a run, or its last value; none by default. */
  readonly table?: "mean" | "last";
}

const cosine = { within: [0, 1], zero: true, linear: true } as const;

/** The metrics that every run may record; a new one is one entry. */
export const stepMetrics: readonly StepMetricInfo[] = [
  {
    name: "cosEpsV",
    id: "alignment",
    title: "alignment of the perturbation",
    symbol: "|cos(ε, v₁)|",
    about: "Absolute cosine of the angle between the perturbation ε and the estimate of the top eigenvector v₁.",
    figure: {
      ...cosine,
      title: "Alignment of the perturbation",
      shows:
        "How closely each method's perturbation ε aligns with the latest estimate of the top eigenvector v₁ (1 is parallel)",
      needs: "a method that perturbs, with estimates of the top eigenvector",
    },
    table: "mean",
  },
  {
    name: "cosGradV",
    id: "gradient-alignment",
    title: "alignment of the gradient",
    symbol: "|cos(∇f, v₁)|",
    about: "Absolute cosine of the angle between the mini-batch gradient and the estimate of the top eigenvector v₁.",
    figure: {
      ...cosine,
      title: "Alignment of the gradient",
      shows:
        "How closely the mini-batch gradient, SAM's own direction, aligns with the latest estimate of the top eigenvector v₁ (1 is parallel)",
      needs: "estimates of the top eigenvector (Eigen-SAM, or train.diagnosticsEvery)",
    },
  },
  {
    name: "gradNorm",
    id: "gradient-norm",
    title: "gradient norm",
    symbol: "‖∇f‖",
    about: "Norm of the mini-batch gradient at the weights before the step.",
    figure: {
      title: "Gradient norm",
      shows: "Norm of the mini-batch gradient at the weights before each step, without the perturbation",
      needs: "a training step",
      zero: true,
    },
  },
];
