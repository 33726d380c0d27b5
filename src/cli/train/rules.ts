import type { Phase } from "../../optim/phases.ts";

/** What the steps of a rule are called. */
export const ruleNames: Readonly<Record<Phase, string>> = {
  before: "of the base optimizer",
  warmup: "of the warm-up",
  own: "of the method",
  between: "between them",
};
