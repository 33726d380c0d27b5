import type { z } from "zod";

const ORIGINS: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  tuple: "a list",
  object: "a table",
  record: "a table",
  null: "null",
  undefined: "nothing",
};

const COUNTED: Readonly<Record<string, string>> = { string: "characters", array: "elements", set: "elements" };

/** What a value should have been, where zod found it wrong: "expected a number of at least 1". */
export function expectation(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return `expected ${ORIGINS[issue.expected] ?? issue.expected}`;
    case "invalid_format":
      return `expected ${ORIGINS[issue.format] ?? issue.format}`;
    case "too_small":
      return `expected ${bounded(issue.origin, issue.inclusive === false ? "above" : "at least", issue.minimum)}`;
    case "too_big":
      return `expected ${bounded(issue.origin, issue.inclusive === false ? "below" : "at most", issue.maximum)}`;
    case "not_multiple_of":
      return `expected a multiple of ${issue.divisor}`;
    case "invalid_value":
      return `expected ${issue.values.length > 1 ? "one of " : ""}${issue.values.map(String).join(", ")}`;
    case "unrecognized_keys":
      return `there is no ${issue.keys.join(", ")}`;
    case "invalid_union":
      return `expected ${[...new Set(issue.errors.flatMap((each) => each.slice(0, 1)).map((each) => expectation(each).replace(/^expected /, "")))].join(" or ") || "another kind"}`;
    default:
      return issue.message;
  }
}

function bounded(origin: string, how: string, limit: number | bigint): string {
  const counted = limit === 1 || limit === 1n ? COUNTED[origin]?.replace(/s$/, "") : COUNTED[origin];
  return counted === undefined
    ? `a number ${how === "above" || how === "below" ? "" : "of "}${how} ${limit}`
    : `${how} ${limit} ${counted}`;
}
