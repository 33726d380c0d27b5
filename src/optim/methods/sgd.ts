import { mul } from "../../graph/ops/elementwise.ts";
import { defineMethod } from "../method.ts";
import { unit } from "../vector.ts";

/** The plain gradient: a series without further terms. */
export const sgd = defineMethod({
  name: "sgd",
  title: "SGD",
  summary: "∇f(θ)",
  cost: "1",
  colour: "#6b7280",
  series: { ascent: ({ g }) => mul(0, unit(g)), factors: [0, 0] },
});
