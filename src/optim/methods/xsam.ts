import { slice } from "../../graph/ops/arrange.ts";
import { greater, where } from "../../graph/ops/compare.ts";
import { add, mul } from "../../graph/ops/elementwise.ts";
import { broadcastTo } from "../../graph/ops/reduce.ts";
import { constant } from "../../graph/ops/source.ts";
import type { Operand, Tensor } from "../../graph/tensor.ts";
import { arc } from "../arc.ts";
import { radius, real } from "../hyper.ts";
import { defineMethod, gradAt, zeros } from "../method.ts";
import type { Loss } from "../point.ts";
import { norm, unit } from "../vector.ts";

/** The places on the arc that are tried: 0, 0.1, …, 2. */
const PLACES = Array.from({ length: 21 }, (_, i) => i / 10);

/** ‖g₊‖ times a place on the arc from ε to g₊; where ε is 0 there is none, and it is g₊. */
function along(epsilon: Tensor, ahead: Tensor) {
  const slerp = arc(unit(epsilon), unit(ahead));
  const away = greater(norm(epsilon), 0);
  return { slerp, directionAt: (a: Tensor) => where(away, mul(norm(ahead), slerp(a)), ahead) };
}

/** The first of the places where the loss is largest. */
function steepest(f: Loss, theta: Tensor, slerp: (a: Operand) => Tensor, length: Operand): Tensor {
  const tried = PLACES.map((a) => ({ a, loss: f(add(theta, mul(length, slerp(a)))) }));
  const number = (a: number) => constant(a, [], theta.dtype);
  const start = { a: number(tried[0]!.a), loss: tried[0]!.loss };
  return tried.slice(1).reduce((best, { a, loss }) => {
    const better = greater(loss, best.loss);
    return { a: where(better, number(a), best.a), loss: where(better, loss, best.loss) };
  }, start).a;
}

/**
 * XSAM, with one ascent (its authors' code, Cccjl219/XSAM): the step is as long as g₊ = ∇f(θ + ε), along the arc from ε through g₊, at the place a where the loss at distance
 * ρ_max is largest. The authors look for a at the first mini-batch of every epoch, over 21 places; here at every k-th step, so set k to the steps of an epoch. Its default
 * is theirs on CIFAR, 50,000 images in mini-batches of 125. a is one number, in every place of a vector.
 */
export const xsam = defineMethod({
  name: "xsam",
  title: "XSAM",
  summary:
    "‖g₊‖·slerp(ε̂, ĝ₊; a),  g₊ = ∇f(θ + ρĝ);  every k-th step a ← argmax over {0, 0.1, …, 2} of f(θ + ρ_max·slerp)",
  source: "Cccjl219/XSAM",
  cost: "2, and 23 passes in every k-th step, 21 of them forward alone",
  colour: "#6a3d9a",
  hyper: {
    rho: radius(0.15),
    rhoMax: { ...radius(0.3, "distance ρ_max at which losses are compared"), symbol: "ρ_max" },
    k: real(400, "steps from one search of a to the next, k", { min: 1 }),
  },
  unaligned: "its step is on the arc between ε and the gradient there",
  state: { a: zeros },
  ascent: ({ g, rho }) => mul(rho, unit(g)),
  combine: ({ f, theta, epsilon, ahead, rhoMax }) => {
    const { slerp, directionAt } = along(epsilon, ahead);
    const a = steepest(f, theta, slerp, rhoMax);
    return { direction: directionAt(a), epsilon, a: broadcastTo(a, theta.shape) };
  },
  between: {
    when: (step, { k }) => step % k !== 0,
    descend: ({ f, theta, g, rho, a }) => {
      const epsilon = mul(rho, unit(g));
      const ahead = gradAt(f, add(theta, epsilon));
      const place = slice(a, 0, 0, 1);
      return { direction: along(epsilon, ahead).directionAt(place), epsilon, a };
    },
  },
});
