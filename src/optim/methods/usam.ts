import { mul } from "../../graph/ops/elementwise.ts";
import { radius } from "../hyper.ts";
import { defineMethod } from "../method.ts";

/** ε = ρg, not normalized (Andriushchenko & Flammarion 2022). */
export const usam = defineMethod({
  name: "usam",
  title: "USAM",
  summary: "∇f(θ + ρg)",
  source: "Andriushchenko & Flammarion 2022",
  cost: "2",
  colour: "#56b4e9",
  hyper: { rho: radius() },
  ascent: ({ g, rho }) => mul(rho, g),
});
