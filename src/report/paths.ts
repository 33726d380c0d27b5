/** Paths of the files of a report. */
export interface Report {
  /** The page: it holds every figure and table. */
  readonly html: string;
  /** Each figure as SVG and PNG. */
  readonly figures: readonly string[];
  /** Each table as Markdown and CSV. */
  readonly tables: readonly string[];
}

/** A report of training runs. */
export interface RunsReport extends Report {
  /** What the comparison of each two groups found, paired by seed: a sentence each. */
  readonly findings: readonly string[];
}

/** Tables that a report has on request. */
export interface RequestedTables {
  /** The interquartile mean of each method's test accuracy over tasks and seeds. */
  readonly iqm?: boolean;
}
