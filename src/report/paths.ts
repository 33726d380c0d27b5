/** Paths of the files of a report. */
export interface Report {
  /** The page: it holds every figure and table. */
  readonly html: string;
  /** Each figure as SVG and PNG. */
  readonly figures: readonly string[];
  /** Each table as Markdown and CSV. */
  readonly tables: readonly string[];
}
