/** The studies that `eigensam paper` makes, and what each asks. Apart from them, so that the command line need not load them. */
export const studyQuestions = {
  eigenvector: "which solver keeps v fresh",
  "eigen-sam": "does a good v make Eigen-SAM flatter than SAM (docs/notes/eigen-sam-study.md)",
} as const;

export type StudyName = keyof typeof studyQuestions;

export const scaleNames = ["smoke", "laptop", "full"] as const;

export type Scale = (typeof scaleNames)[number];
